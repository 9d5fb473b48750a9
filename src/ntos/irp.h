// I/O request packets.
#pragma once

#include <stdbool.h>

#include <wdm.h>

// What becomes of an IRP after its last completion routine; stands before the IRP in memory.
struct ntos_irp {
    void (*finish)(struct ntos_irp *packet);  // NULL: one from IoAllocateIrp
    uint32_t process_id;
    bool completed;
    bool pending_returned;  // what the driver's own stack location said
    uint8_t stack_size;
    IRP irp;
};

// Zeroed, with `stack_size` stack locations behind it, or NULL.
struct ntos_irp *ntos_irp_new(CCHAR stack_size);
void ntos_irp_free(struct ntos_irp *packet);
struct ntos_irp *ntos_irp_of(PIRP irp);

// Sends a packet of the host to the top of the device's stack and checks what the driver does with it. The packet must
// not be touched afterwards unless the caller holds it by other means until `finish`. Returns the dispatch status.
NTSTATUS ntos_irp_send(PDEVICE_OBJECT device, struct ntos_irp *packet, bool (*is_complete)(struct ntos_irp *packet));
