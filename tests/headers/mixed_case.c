// The spellings of header names seen in programs.
#include <Windows.h>
#include <WinSock2.h>
#include <WS2tcpip.h>
#include <Winsock2.h>
#include <FWPMU.h>
#include <Fwpmu.h>
#include "FwpmU.h"
#include "Fwptypes.h"
#include "FWPMTYPES.h"
#include <FwpsTypes.h>
#include <FWPSU.h>
#include <GuidDef.h>
#include <InitGuid.h>
#include <Ip2String.h>
#include <IPHlpApi.h>
#include <Mstcpip.h>
#include <NTSTATUS.h>
#include <Rpc.h>
#include <RpcDce.h>
#include <Sddl.h>
#include <StrSafe.h>
#include <WinError.h>
#include <WinNT.h>
#include <Tchar.h>

extern FWPM_FILTER0 one_declaration;
