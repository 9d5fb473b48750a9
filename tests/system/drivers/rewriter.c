#include "rewriter.h"

#include <ip2string.h>

#include "callout.h"
#include "worker.h"

#define PENDED_TAG 'wrWR'
#define ADDRESS_UNITS_MAX 64

struct pended {
    LIST_ENTRY entry;
    UINT64 handle, filter_id;
    FWPS_CLASSIFY_OUT0 out;
};

static struct {
    WCHAR program[128], mode[16];
    BOOLEAN has_address4, has_address6;
    IN_ADDR address4;
    IN6_ADDR address6;
    ULONG port;
    VOID (*write)(PVOID data);
    LIST_ENTRY queue;
    KSPIN_LOCK queue_lock;
} rewriter;

BOOLEAN rewriter_wants(const FWP_BYTE_BLOB *app_id)
{
    SIZE_T length = app_id->size / sizeof(WCHAR), wanted = wcslen(rewriter.program);
    const WCHAR *path = (const WCHAR *)app_id->data;
    if (length > 0 && path[length - 1] == 0)
        length--;
    return wanted > 0 && length >= wanted &&
           RtlEqualMemory(path + length - wanted, rewriter.program, wanted * sizeof(WCHAR));
}

VOID rewriter_set_address(SOCKADDR_STORAGE *address)
{
    USHORT port = RtlUshortByteSwap((USHORT)rewriter.port);
    if (address->ss_family == AF_INET) {
        SOCKADDR_IN *to = (SOCKADDR_IN *)address;
        if (rewriter.has_address4)
            to->sin_addr = rewriter.address4;
        if (port)
            to->sin_port = port;
    } else {
        SOCKADDR_IN6 *to = (SOCKADDR_IN6 *)address;
        if (rewriter.has_address6)
            to->sin6_addr = rewriter.address6;
        if (port)
            to->sin6_port = port;
    }
}

static VOID write_data(UINT64 handle, UINT64 filter_id, FWPS_CLASSIFY_OUT0 *out)
{
    PVOID data = NULL;
    if (!NT_SUCCESS(FwpsAcquireWritableLayerDataPointer0(handle, filter_id, 0, &data, out)))
        return;
    rewriter.write(data);
    FwpsApplyModifiedLayerData0(handle, data, 0);
    out->actionType = FWP_ACTION_PERMIT;
}

static VOID pend(UINT64 handle, UINT64 filter_id, FWPS_CLASSIFY_OUT0 *out)
{
    struct pended *pended = (struct pended *)ExAllocatePoolWithTag(NonPagedPool, sizeof(*pended), PENDED_TAG);
    if (!pended || !NT_SUCCESS(FwpsPendClassify0(handle, filter_id, 0, out))) {
        if (pended)
            ExFreePoolWithTag(pended, PENDED_TAG);
        FwpsReleaseClassifyHandle0(handle);
        return;
    }
    out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
    pended->handle = handle;
    pended->filter_id = filter_id;
    pended->out = *out;
    ExInterlockedInsertTailList(&rewriter.queue, &pended->entry, &rewriter.queue_lock);
    worker_wake();
}

VOID rewriter_classify(const void *context, const FWPS_FILTER3 *filter, FWPS_CLASSIFY_OUT0 *out)
{
    UINT64 handle;
    out->actionType = FWP_ACTION_BLOCK;
    if (!NT_SUCCESS(FwpsAcquireClassifyHandle0((void *)(UINT_PTR)context, 0, &handle)))
        return;
    if (rewriter.mode[0]) {
        pend(handle, filter->filterId, out);
        return;
    }
    write_data(handle, filter->filterId, out);
    FwpsReleaseClassifyHandle0(handle);
}

static VOID complete_pended(VOID)
{
    PLIST_ENTRY entry;
    while ((entry = ExInterlockedRemoveHeadList(&rewriter.queue, &rewriter.queue_lock)) != NULL) {
        struct pended *pended = CONTAINING_RECORD(entry, struct pended, entry);
        write_data(pended->handle, pended->filter_id, &pended->out);
        FwpsCompleteClassify0(pended->handle, 0, &pended->out);
        FwpsReleaseClassifyHandle0(pended->handle);
        ExFreePoolWithTag(pended, PENDED_TAG);
    }
}

// The text of an address, which the registry gives, or else the driver.
static PCWSTR address_text(PUNICODE_STRING registry_path, PCWSTR name, PCWSTR otherwise,
                           WCHAR buffer[ADDRESS_UNITS_MAX])
{
    NTSTATUS status = parameter_read(registry_path, name, REG_SZ, buffer, ADDRESS_UNITS_MAX * sizeof(WCHAR));
    return NT_SUCCESS(status) ? buffer : otherwise;
}

static NTSTATUS read_addresses(PUNICODE_STRING registry_path, PCWSTR address4, PCWSTR address6)
{
    WCHAR buffer4[ADDRESS_UNITS_MAX], buffer6[ADDRESS_UNITS_MAX];
    NTSTATUS status = STATUS_SUCCESS;
    PCWSTR end;
    address4 = address_text(registry_path, L"address4", address4, buffer4);
    address6 = address_text(registry_path, L"address6", address6, buffer6);
    rewriter.has_address4 = address4[0] != 0;
    rewriter.has_address6 = address6[0] != 0;
    if (rewriter.has_address4)
        status = RtlIpv4StringToAddressW(address4, TRUE, &end, &rewriter.address4);
    if (NT_SUCCESS(status) && rewriter.has_address6)
        status = RtlIpv6StringToAddressW(address6, &end, &rewriter.address6);
    return status;
}

NTSTATUS rewriter_start(PUNICODE_STRING registry_path, PCWSTR address4, PCWSTR address6, VOID (*write)(PVOID data))
{
    KeInitializeSpinLock(&rewriter.queue_lock);
    InitializeListHead(&rewriter.queue);
    rewriter.write = write;
    (void)parameter_read(registry_path, L"program", REG_SZ, rewriter.program, sizeof(rewriter.program));
    (void)parameter_read(registry_path, L"port", REG_DWORD, &rewriter.port, sizeof(rewriter.port));
    (void)parameter_read(registry_path, L"mode", REG_SZ, rewriter.mode, sizeof(rewriter.mode));
    NTSTATUS status = read_addresses(registry_path, address4, address6);
    return NT_SUCCESS(status) ? worker_start(complete_pended) : status;
}

VOID rewriter_stop(VOID)
{
    worker_stop();
    complete_pended();
}
