#include "client/irql.h"

#include <stddef.h>

// Of libntos (wdm.h, ntos/ntos.h). Weak: absent in programs without it.
extern __attribute__((weak)) uint8_t KeGetCurrentIrql(void);
extern __attribute__((weak)) uint8_t KfRaiseIrql(uint8_t irql);
extern __attribute__((weak)) void KeLowerIrql(uint8_t irql);
extern __attribute__((weak)) uint32_t ntos_process_enter(uint32_t process_id);

struct wall_irql_state wall_irql_raise(uint8_t irql, uint32_t process_id)
{
    struct wall_irql_state state = { 0, 0 };
    if (ntos_process_enter)
        state.process_before = ntos_process_enter(process_id);
    if (!KeGetCurrentIrql || !KfRaiseIrql)
        return state;
    state.before = KeGetCurrentIrql();
    if (irql > state.before)
        (void)KfRaiseIrql(irql);
    return state;
}

bool wall_irql_restore(const struct wall_irql_state *state, uint8_t irql, uint8_t *ret_found)
{
    bool good = true;
    if (KeGetCurrentIrql && KfRaiseIrql && KeLowerIrql) {
        uint8_t expected = irql > state->before ? irql : state->before;
        *ret_found = KeGetCurrentIrql();
        good = *ret_found == expected;
        if (*ret_found > state->before)
            KeLowerIrql(state->before);
        else if (*ret_found < state->before)
            (void)KfRaiseIrql(state->before);
    }
    if (ntos_process_enter)
        (void)ntos_process_enter(state->process_before);
    return good;
}
