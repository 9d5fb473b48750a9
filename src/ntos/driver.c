#include "ntos/driver.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf16.h"
#include "ntos/device.h"
#include "ntos/dpc.h"
#include "ntos/object.h"
#include "ntos/pool.h"
#include "ntos/print.h"
#include "ntos/registry.h"
#include "ntos/thread.h"
#include "ntos/verify.h"
#include "ntos/framework.h"
#include "ntos/work.h"

// How long unloading waits for threads and work items that are on their way out.
#define UNLOAD_WAIT_MS 3000

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#define THIS_MACHINE_NAME "x86-64"
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#define THIS_MACHINE_NAME "AArch64"
#else
#error "which ELF machine is this?"
#endif

static pthread_mutex_t drivers_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_ENTRY drivers = { &drivers, &drivers };

static void destroy_driver_object(void *object)
{
    PDRIVER_OBJECT driver = object;
    free(driver->DriverName.Buffer);
    free(driver->DriverExtension);
}

struct _OBJECT_TYPE ntos_driver_type = { "Driver", destroy_driver_object };

struct ntos_driver *ntos_driver_of(const void *address)
{
    struct ntos_driver *found = NULL, *loaded = NULL;
    unsigned loaded_count = 0;
    pthread_mutex_lock(&drivers_lock);
    for (PLIST_ENTRY entry = drivers.Flink; entry != &drivers && !found; entry = entry->Flink) {
        struct ntos_driver *driver = CONTAINING_RECORD(entry, struct ntos_driver, entry);
        if ((const char *)address >= (const char *)driver->start && (const char *)address < (const char *)driver->end)
            found = driver;
        if (!driver->unloaded) {
            loaded = driver;
            loaded_count++;
        }
    }
    pthread_mutex_unlock(&drivers_lock);
    return found || loaded_count != 1 ? found : loaded;
}

// --- Is it a driver? ---

static int check_header(const char *path, const unsigned char *bytes, size_t size, struct wall_error *err)
{
    if (size >= 2 && bytes[0] == 'M' && bytes[1] == 'Z')
        return wall_error_set(err, -ENOEXEC, "%s is a driver built for Windows: build its source for Linux", path);
    if (size < sizeof(Elf64_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return wall_error_set(err, -ENOEXEC, "%s is not a driver: it is not an ELF shared object", path);
    Elf64_Ehdr header;
    memcpy(&header, bytes, sizeof(header));
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != THIS_MACHINE)
        return wall_error_set(err, -ENOEXEC, "%s is built for another machine (ELF machine %u), this one is %s", path,
                              header.e_machine, THIS_MACHINE_NAME);
    if (header.e_type != ET_DYN)
        return wall_error_set(err, -ENOEXEC, "%s is not a shared object: link the driver with -shared", path);
    return 0;
}

static int check_file(const char *path, struct wall_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int error = errno;
        return wall_error_set(err, -error, "cannot open %s: %s", path, strerror(error));
    }
    struct stat info;
    unsigned char bytes[sizeof(Elf64_Ehdr)];
    int result;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        result = wall_error_set(err, -ENOEXEC, "%s is not a driver: it is not a regular file", path);
    } else {
        ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
        result = size < 0 ? wall_error_set(err, -errno, "cannot read %s: %s", path, strerror(errno))
                          : check_header(path, bytes, (size_t)size, err);
    }
    (void)close(fd);
    return result;
}

static int open_library(const char *path, void **ret_library, struct wall_error *err)
{
    // Without a slash dlopen() would search the library path instead.
    char *full = realpath(path, NULL);
    if (!full)
        return wall_error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
    void *library = dlopen(full, RTLD_NOW | RTLD_LOCAL);
    free(full);
    if (library) {
        *ret_library = library;
        return 0;
    }
    const char *reason = dlerror();
    const char *symbol = reason ? strstr(reason, "undefined symbol: ") : NULL;
    if (symbol)
        return wall_error_set(err, -ELIBACC, "%s needs the function %s, which Ringwall does not have", path,
                              symbol + strlen("undefined symbol: "));
    return wall_error_set(err, -ENOEXEC, "cannot load %s: %s", path, reason ? reason : "unknown reason");
}

struct range_search {
    uintptr_t base;
    uintptr_t start, end;
};

static int find_range(struct dl_phdr_info *info, size_t size, void *context)
{
    struct range_search *search = context;
    if (info->dlpi_addr != search->base)
        return 0;
    search->start = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (start < search->start)
            search->start = start;
        if (start + info->dlpi_phdr[i].p_memsz > search->end)
            search->end = start + info->dlpi_phdr[i].p_memsz;
    }
    return 1;
}

static int find_entry(struct ntos_driver *driver, const char *path, struct wall_error *err)
{
    void *entry = dlsym(driver->library, "DriverEntry");
    struct link_map *map;
    if (!entry && dlsym(driver->library, "_Z11DriverEntryP14_DRIVER_OBJECTP15_UNICODE_STRING"))
        return wall_error_set(err, -ENOEXEC,
                              "%s is not a driver: its DriverEntry is a C++ function, declare it extern \"C\"", path);
    if (!entry || dlinfo(driver->library, RTLD_DI_LINKMAP, &map) != 0)
        return wall_error_set(err, -ENOEXEC, "%s is not a driver: it has no function DriverEntry", path);
    struct range_search search = { .base = map->l_addr };
    (void)dl_iterate_phdr(find_range, &search);
    driver->start = (const void *)search.start;
    driver->end = (const void *)search.end;
    // dlsym() looks into the libraries it links to as well.
    if ((uintptr_t)entry < search.start || (uintptr_t)entry >= search.end)
        return wall_error_set(err, -ENOEXEC, "%s is not a driver: it has no function DriverEntry of its own", path);
    driver->entry_point = __extension__(PDRIVER_INITIALIZE) entry;
    return 0;
}

// --- Names and parameters ---

static bool valid_name(const char *name)
{
    size_t length = name ? strlen(name) : 0;
    return length > 0 && length <= 64 && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == length;
}

// Decimal or 0x hexadecimal, no sign, within 32 bits: such a parameter is a REG_DWORD.
static bool parse_dword(const char *text, ULONG *ret_value)
{
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hexadecimal ? text + 2 : text;
    size_t length = strlen(digits);
    if (length == 0 || length > 10 || strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789") != length)
        return false;
    unsigned long long value = strtoull(digits, NULL, hexadecimal ? 16 : 10);
    *ret_value = (ULONG)value;
    return value <= UINT32_MAX;
}

static NTSTATUS set_text(const WCHAR *key, const WCHAR *name, const char *value)
{
    uint16_t *text = wall_utf16_new_from_path(value);
    if (!text)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = ntos_registry_set(key, name, REG_SZ, text, (ULONG)((wcslen(text) + 1) * sizeof(WCHAR)));
    free(text);
    return status;
}

static int set_parameter(const WCHAR *key, const char *parameter, struct wall_error *err)
{
    const char *equals = strchr(parameter, '=');
    if (!equals || equals == parameter)
        return wall_error_set(err, -EINVAL, "the parameter '%s' is not of the form name=value", parameter);
    char *name = strndup(parameter, (size_t)(equals - parameter));
    uint16_t *wide = name ? wall_utf16_new_from_path(name) : NULL;
    free(name);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    ULONG number;
    if (wide && parse_dword(equals + 1, &number))
        status = ntos_registry_set(key, wide, REG_DWORD, &number, sizeof(number));
    else if (wide)
        status = set_text(key, wide, equals + 1);
    free(wide);
    if (!NT_SUCCESS(status))
        return wall_error_set(err, -E2BIG, "the parameter '%.*s' is too long, or there are too many",
                              (int)(equals - parameter), parameter);
    return 0;
}

static int fill_registry(struct ntos_driver *driver, const char *path, const char *const *parameters,
                         struct wall_error *err)
{
    const WCHAR *key = driver->registry_path.Buffer;
    size_t units = wcslen(key);
    WCHAR below[256];
    (void)swprintf_s(below, ARRAYSIZE(below), L"%s\\Parameters", key);
    ULONG type = 1 /* a kernel driver */, start = 3 /* on demand */, error_control = 1;
    NTSTATUS status = units + 12 < ARRAYSIZE(below) ? ntos_registry_make(below) : STATUS_NAME_TOO_LONG;
    if (NT_SUCCESS(status))
        status = set_text(key, L"ImagePath", path);
    if (NT_SUCCESS(status))
        status = ntos_registry_set(key, L"Type", REG_DWORD, &type, sizeof(type));
    if (NT_SUCCESS(status))
        status = ntos_registry_set(key, L"Start", REG_DWORD, &start, sizeof(start));
    if (NT_SUCCESS(status))
        status = ntos_registry_set(key, L"ErrorControl", REG_DWORD, &error_control, sizeof(error_control));
    if (!NT_SUCCESS(status))
        return wall_error_set(err, -ENOMEM, "no room for the registry key of %s", driver->name);
    // Drivers look for them in either of the two keys.
    for (; parameters && *parameters; parameters++) {
        int result = set_parameter(below, *parameters, err);
        if (result == 0)
            result = set_parameter(key, *parameters, err);
        if (result < 0)
            return result;
    }
    return 0;
}

// --- The driver object ---

static WCHAR *join(const WCHAR *prefix, const char *name)
{
    size_t length = wcslen(prefix), more = strlen(name);
    WCHAR *text = malloc((length + more + 1) * sizeof(WCHAR));
    if (!text)
        return NULL;
    memcpy(text, prefix, length * sizeof(WCHAR));
    for (size_t i = 0; i <= more; i++)
        text[length + i] = (WCHAR)name[i];  // valid_name(): ASCII
    return text;
}

static int make_object(struct ntos_driver *driver, struct wall_error *err)
{
    PDRIVER_OBJECT object = ntos_object_new(&ntos_driver_type, sizeof(DRIVER_OBJECT));
    if (!object)
        return wall_error_set(err, -ENOMEM, "no memory for a driver object");
    driver->object = object;
    object->Type = IO_TYPE_DRIVER;
    object->Size = sizeof(DRIVER_OBJECT);
    object->DriverStart = (PVOID)(ULONG_PTR)driver->start;
    object->DriverSize = (ULONG)((const char *)driver->end - (const char *)driver->start);
    object->DriverSection = driver;
    object->DriverExtension = calloc(1, sizeof(DRIVER_EXTENSION));
    WCHAR *name = join(L"\\Driver\\", driver->name);
    WCHAR *registry_path = join(NTOS_REGISTRY_SERVICES, driver->name);
    if (!object->DriverExtension || !name || !registry_path) {
        free(name);
        free(registry_path);
        return wall_error_set(err, -ENOMEM, "no memory for a driver object");
    }
    RtlInitUnicodeString(&object->DriverName, name);
    RtlInitUnicodeString(&driver->registry_path, registry_path);
    object->DriverExtension->DriverObject = object;
    RtlInitUnicodeString(&object->DriverExtension->ServiceKeyName,
                         registry_path + ARRAYSIZE(NTOS_REGISTRY_SERVICES) - 1);
    object->DriverInit = driver->entry_point;
    for (size_t i = 0; i < ARRAYSIZE(object->MajorFunction); i++)
        object->MajorFunction[i] = ntos_invalid_request;
    return 0;
}

static void free_driver(struct ntos_driver *driver)
{
    if (driver->object)
        ObDereferenceObject(driver->object);
    free(driver->registry_path.Buffer);
    ntos_extensions_free(driver);
    if (driver->library)
        (void)dlclose(driver->library);
    free(driver->data_directory);
    free(driver->name);
    free(driver);
}

// --- Loading and unloading ---

static void run_entry(PVOID context)
{
    struct ntos_driver *driver = context;
    driver->status = driver->entry_point(driver->object, &driver->registry_path);
    // A framework driver with EvtDriverDeviceAdd gets its one device now.
    if (NT_SUCCESS(driver->status) && driver->object->DriverExtension->AddDevice == ntos_wdf_add_device)
        driver->status = ntos_wdf_add_device(driver->object, NULL);
    if (!NT_SUCCESS(driver->status))
        ntos_wdf_abandon(driver->object);
}

static void run_unload(PVOID context)
{
    struct ntos_driver *driver = context;
    driver->object->DriverUnload(driver->object);
}

// One shared object is one set of variables: it can be a driver once.
static int enlist(struct ntos_driver *driver, struct wall_error *err)
{
    const struct ntos_driver *same = NULL;
    pthread_mutex_lock(&drivers_lock);
    for (PLIST_ENTRY entry = drivers.Flink; entry != &drivers; entry = entry->Flink) {
        struct ntos_driver *other = CONTAINING_RECORD(entry, struct ntos_driver, entry);
        if (other->library == driver->library || strcasecmp(other->name, driver->name) == 0)
            same = other;
    }
    const char *state = !same ? "" : same->unloaded ? "unloaded, but still running" : "already loaded";
    if (!same)
        InsertTailList(&drivers, &driver->entry);
    pthread_mutex_unlock(&drivers_lock);
    return same ? wall_error_set(err, -EEXIST, "the driver %s is %s", driver->name, state) : 0;
}

// Takes back what the driver left, reporting it. Returns the number; `ret_running`: code of the driver still runs.
static unsigned sweep(struct ntos_driver *driver, bool *ret_running)
{
    bool work_running;
    unsigned threads = ntos_threads_sweep(driver->start, driver->end, UNLOAD_WAIT_MS);
    unsigned count = threads + ntos_dpcs_sweep(driver->start, driver->end);
    count += ntos_work_sweep(driver->start, driver->end, UNLOAD_WAIT_MS, &work_running);
    count += ntos_handles_sweep(driver->start, driver->end);
    count += ntos_devices_sweep(driver->object, driver->start, driver->end);
    *ret_running = threads > 0 || work_running;
    // Memory that running code may still use is reported with it, and kept.
    if (!*ret_running)
        count += ntos_pool_sweep(driver->start, driver->end);
    ntos_print_flush();
    return count;
}

static void finish(struct ntos_driver *driver, bool running)
{
    // Code that runs must stay where it is, and with it all that it may use: such a driver stays on the list.
    pthread_mutex_lock(&drivers_lock);
    driver->unloaded = true;
    if (!running)
        RemoveEntryList(&driver->entry);
    pthread_mutex_unlock(&drivers_lock);
    ntos_registry_forget(driver->registry_path.Buffer);
    if (!running)
        free_driver(driver);
}

static int start_driver(struct ntos_driver *driver, struct wall_error *err)
{
    int result = ntos_thread_run(run_entry, driver);
    if (result < 0)
        (void)wall_error_set(err, result, "no thread for DriverEntry of %s", driver->name);
    else if (!NT_SUCCESS(driver->status))
        result = wall_error_set(err, -EIO, "DriverEntry of %s returned 0x%08X", driver->name, (unsigned)driver->status);
    if (result == 0) {
        ntos_devices_ready(driver->object);
        return 0;
    }
    bool running;
    (void)sweep(driver, &running);
    finish(driver, running);
    return result;
}

int ntos_driver_load(const char *path, const struct ntos_driver_options *options, struct ntos_driver **ret_driver,
                     struct wall_error *err)
{
    if (!valid_name(options->name))
        return wall_error_set(err, -EINVAL,
                              "'%s' cannot be a driver's name: 1 to 64 letters, digits, '-', '_' and '.', not first",
                              options->name ? options->name : "");
    int result = check_file(path, err);
    if (result < 0)
        return result;
    struct ntos_driver *driver = calloc(1, sizeof(*driver));
    if (!driver)
        return wall_error_set(err, -ENOMEM, "no memory");
    driver->name = strdup(options->name);
    driver->data_directory = options->data_directory ? strdup(options->data_directory) : NULL;
    if (!driver->name || (options->data_directory && !driver->data_directory))
        result = wall_error_set(err, -ENOMEM, "no memory");
    if (result == 0)
        result = open_library(path, &driver->library, err);
    if (result == 0)
        result = find_entry(driver, path, err);
    if (result == 0)
        result = make_object(driver, err);
    if (result == 0)
        result = enlist(driver, err);
    if (result < 0) {
        free_driver(driver);
        return result;
    }
    result = fill_registry(driver, path, options->parameters, err);
    if (result < 0) {
        finish(driver, false);
        return result;
    }
    result = start_driver(driver, err);
    if (result == 0)
        *ret_driver = driver;
    return result;
}

int ntos_driver_unload(struct ntos_driver *driver, unsigned *ret_leaks, struct wall_error *err)
{
    if (!driver->object->DriverUnload)
        return wall_error_set(err, -EBUSY, "%s cannot be unloaded: it has no DriverUnload routine", driver->name);
    unsigned open_files = ntos_devices_open(driver->object);
    if (open_files > 0)
        return wall_error_set(err, -EBUSY, "%s cannot be unloaded: %u files on its devices are open", driver->name,
                              open_files);
    int result = ntos_thread_run(run_unload, driver);
    if (result < 0)
        return wall_error_set(err, result, "no thread for DriverUnload of %s", driver->name);
    bool running;
    unsigned leaks = sweep(driver, &running);
    finish(driver, running);
    if (ret_leaks)
        *ret_leaks = leaks;
    return 0;
}

void ntos_counters_get(struct ntos_counters *ret_counters)
{
    *ret_counters = (struct ntos_counters){ .lines_lost = ntos_print_lost(), .violations = ntos_violation_count() };
    ntos_pool_count(ret_counters);
}

// --- What belongs to the driver object ---

VOID IoRegisterDriverReinitialization(PDRIVER_OBJECT driver, PVOID routine, PVOID context)
{
    ntos_violation("IoRegisterDriverReinitialization", "only boot drivers are called again");
}
