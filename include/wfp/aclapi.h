// Building security descriptors from access entries. Results are freed with LocalFree. The functions are in libwfp.
#pragma once

#ifdef _WIN32
#include_next <aclapi.h>
#else

#include "accctrl.h"
#include "windows.h"

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __ELF__
#pragma GCC visibility push(default)
#endif

void WINAPI BuildTrusteeWithSidW(PTRUSTEE_W pTrustee, PSID pSid);
void WINAPI BuildExplicitAccessWithNameW(PEXPLICIT_ACCESS_W pExplicitAccess, LPWSTR pTrusteeName,
                                         DWORD AccessPermissions, ACCESS_MODE AccessMode, DWORD Inheritance);
DWORD WINAPI SetEntriesInAclW(ULONG cCountOfExplicitEntries, PEXPLICIT_ACCESS_W pListOfExplicitEntries, PACL OldAcl,
                              PACL *NewAcl);
DWORD WINAPI BuildSecurityDescriptorW(PTRUSTEE_W pOwner, PTRUSTEE_W pGroup, ULONG cCountOfAccessEntries,
                                      PEXPLICIT_ACCESS_W pListOfAccessEntries, ULONG cCountOfAuditEntries,
                                      PEXPLICIT_ACCESS_W pListOfAuditEntries, PSECURITY_DESCRIPTOR OldSD,
                                      PULONG pSizeNewSD, PSECURITY_DESCRIPTOR *pNewSD);

#ifdef UNICODE
#define BuildTrusteeWithSid BuildTrusteeWithSidW
#define BuildExplicitAccessWithName BuildExplicitAccessWithNameW
#define SetEntriesInAcl SetEntriesInAclW
#define BuildSecurityDescriptor BuildSecurityDescriptorW
#endif

#ifdef __ELF__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
