// The layouts of Windows, member by member: this file compiles or it does not. The numbers follow from the documented
// member lists and the rules of the Windows ABI, not from a compiler; 32-bit ones are checked by i686 mingw-w64.
#include <stddef.h>

#ifdef __cplusplus
#define LAYOUT_ASSERT(condition, text) static_assert(condition, text)
#else
#define LAYOUT_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#include <fwpmu.h>
#include <fwpsk.h>
#include <netiodef.h>
#include <netioapi.h>
#include <ws2ipdef.h>

#define PICK(of64, of32) (sizeof(void *) == 8 ? (of64) : (of32))
#define SIZE(type, of64, of32) LAYOUT_ASSERT(sizeof(type) == PICK(of64, of32), "size of " #type);
#define MEMBER(type, member, of64, of32) \
    LAYOUT_ASSERT(offsetof(type, member) == PICK(of64, of32), "offset of " #type "." #member);

// Defined where the base types are ours too; on Windows they are the compiler's.
#ifdef LAYOUT_BASE
#include "layout_base.inc"
#endif
#include "layout_wfp.inc"

// 4-byte enumerations, 16-bit characters, pointers as handles, no C long.
SIZE(FWP_DATA_TYPE, 4, 4)
SIZE(FWP_MATCH_TYPE, 4, 4)
SIZE(FWPM_PROVIDER_CONTEXT_TYPE, 4, 4)
SIZE(WCHAR, 2, 2)
SIZE(DWORD, 4, 4)
SIZE(ULONG, 4, 4)
SIZE(LONG, 4, 4)
SIZE(BOOL, 4, 4)
SIZE(BOOLEAN, 1, 1)
SIZE(HRESULT, 4, 4)
SIZE(HANDLE, 8, 4)
SIZE(ULONG_PTR, 8, 4)
SIZE(SIZE_T, 8, 4)
SIZE(SOCKADDR_STORAGE, 128, 128)
SIZE(SOCKADDR, 16, 16)
LAYOUT_ASSERT(sizeof(L"ab") == 6, "wide literals have 16-bit characters");
