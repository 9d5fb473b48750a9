// GUID, and DEFINE_GUID as on Windows: a declaration, or while INITGUID is defined (<initguid.h>), a definition.
//
// A definition is weak, so that several files, and libwfp, may each define the same GUID. WFP_NO_GUIDS hides
// every list of GUIDs of these headers from a program that has its own.
// Outside the guard: each inclusion chooses DEFINE_GUID anew.

#ifdef _WIN32
#include_next <guiddef.h>
#else

#ifndef WFP_GUIDDEF_H
#define WFP_GUIDDEF_H
#include "wfpguid.h"
#endif

#undef DEFINE_GUID
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    WFP_GUID_DEFINE_(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) WFP_GUID_DECLARE_(name)
#endif

#endif
