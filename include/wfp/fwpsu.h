// The run-time part of the API from user mode: ALE endpoints. Functions return ERROR_SUCCESS, FWP_E_* or Win32 errors.
#pragma once

#ifdef WFP_FWPSK_H
#error "fwpsu.h (user mode) and fwpsk.h (kernel mode) declare the same names: a source file can use one of them"
#endif
#define WFP_FWPSU_H

#ifndef _WIN32
#include "windows.h"
#endif

#include "fwpsmetadata.h"
#include "fwpstypes.h"
#include "fwpvi.h"

#include "winerror.h"

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __ELF__
#pragma GCC visibility push(default)
#endif

DWORD WINAPI FwpsOpenToken0(HANDLE engineHandle, LUID modifiedId, DWORD desiredAccess, HANDLE *accessToken);
DWORD WINAPI FwpsAleEndpointGetById0(HANDLE engineHandle, UINT64 endpointId,
                                     FWPS_ALE_ENDPOINT_PROPERTIES0 **properties);
DWORD WINAPI FwpsAleEndpointCreateEnumHandle0(HANDLE engineHandle,
                                              const FWPS_ALE_ENDPOINT_ENUM_TEMPLATE0 *enumTemplate,
                                              HANDLE *enumHandle);
DWORD WINAPI FwpsAleEndpointEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                  FWPS_ALE_ENDPOINT_PROPERTIES0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpsAleEndpointDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpsAleEndpointGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                             PSID *sidGroup, PACL *dacl, PACL *sacl,
                                             PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpsAleEndpointSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo,
                                             const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                             const ACL *sacl);

#ifdef __ELF__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
