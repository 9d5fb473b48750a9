// Framework objects: attributes, contexts, references, parents.
#pragma once

#include "../wdm.h"

typedef HANDLE WDFOBJECT, *PWDFOBJECT;
DECLARE_HANDLE(WDFDRIVER);
DECLARE_HANDLE(WDFDEVICE);
DECLARE_HANDLE(WDFQUEUE);
DECLARE_HANDLE(WDFREQUEST);
DECLARE_HANDLE(WDFFILEOBJECT);
DECLARE_HANDLE(WDFMEMORY);
DECLARE_HANDLE(WDFKEY);
DECLARE_HANDLE(WDFSTRING);
DECLARE_HANDLE(WDFCOLLECTION);
DECLARE_HANDLE(WDFSPINLOCK);
DECLARE_HANDLE(WDFWAITLOCK);
DECLARE_HANDLE(WDFTIMER);
DECLARE_HANDLE(WDFDPC);
DECLARE_HANDLE(WDFWORKITEM);

#define STATUS_WDF_BUSY ((NTSTATUS)0xC0200204)
#define STATUS_WDF_PAUSED ((NTSTATUS)0xC0200203)

#define WDF_NO_OBJECT_ATTRIBUTES NULL
#define WDF_NO_EVENT_CALLBACK NULL
#define WDF_NO_HANDLE NULL
#define WDF_NO_CONTEXT NULL

typedef enum _WDF_TRI_STATE { WdfFalse = FALSE, WdfTrue = TRUE, WdfUseDefault = 2 } WDF_TRI_STATE, *PWDF_TRI_STATE;
typedef enum _WDF_EXECUTION_LEVEL {
    WdfExecutionLevelInvalid,
    WdfExecutionLevelInheritFromParent,
    WdfExecutionLevelPassive,
    WdfExecutionLevelDispatch
} WDF_EXECUTION_LEVEL;
typedef enum _WDF_SYNCHRONIZATION_SCOPE {
    WdfSynchronizationScopeInvalid,
    WdfSynchronizationScopeInheritFromParent,
    WdfSynchronizationScopeDevice,
    WdfSynchronizationScopeQueue,
    WdfSynchronizationScopeNone
} WDF_SYNCHRONIZATION_SCOPE;

typedef VOID EVT_WDF_OBJECT_CONTEXT_CLEANUP(WDFOBJECT object);
typedef EVT_WDF_OBJECT_CONTEXT_CLEANUP *PFN_WDF_OBJECT_CONTEXT_CLEANUP;
typedef VOID EVT_WDF_OBJECT_CONTEXT_DESTROY(WDFOBJECT object);
typedef EVT_WDF_OBJECT_CONTEXT_DESTROY *PFN_WDF_OBJECT_CONTEXT_DESTROY;

typedef struct _WDF_OBJECT_CONTEXT_TYPE_INFO {
    ULONG Size;
    PCCHAR ContextName;
    size_t ContextSize;
    const struct _WDF_OBJECT_CONTEXT_TYPE_INFO *UniqueType;
    PVOID EvtDriverGetUniqueContextType;
} WDF_OBJECT_CONTEXT_TYPE_INFO, *PWDF_OBJECT_CONTEXT_TYPE_INFO;
typedef const WDF_OBJECT_CONTEXT_TYPE_INFO *PCWDF_OBJECT_CONTEXT_TYPE_INFO;

typedef struct _WDF_OBJECT_ATTRIBUTES {
    ULONG Size;
    PFN_WDF_OBJECT_CONTEXT_CLEANUP EvtCleanupCallback;
    PFN_WDF_OBJECT_CONTEXT_DESTROY EvtDestroyCallback;
    WDF_EXECUTION_LEVEL ExecutionLevel;
    WDF_SYNCHRONIZATION_SCOPE SynchronizationScope;
    WDFOBJECT ParentObject;
    size_t ContextSizeOverride;
    PCWDF_OBJECT_CONTEXT_TYPE_INFO ContextTypeInfo;
} WDF_OBJECT_ATTRIBUTES, *PWDF_OBJECT_ATTRIBUTES;

FORCEINLINE VOID WDF_OBJECT_ATTRIBUTES_INIT(PWDF_OBJECT_ATTRIBUTES attributes)
{
    RtlZeroMemory(attributes, sizeof(*attributes));
    attributes->Size = sizeof(*attributes);
    attributes->ExecutionLevel = WdfExecutionLevelInheritFromParent;
    attributes->SynchronizationScope = WdfSynchronizationScopeInheritFromParent;
}

#define WDF_TYPE_NAME_TO_TYPE_INFO(type) wdf_context_of_##type
#define WDF_GET_CONTEXT_TYPE_INFO(type) (&WDF_TYPE_NAME_TO_TYPE_INFO(type))
#define WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(attributes, type) \
    ((attributes)->ContextTypeInfo = WDF_GET_CONTEXT_TYPE_INFO(type))
#define WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(attributes, type) \
    (WDF_OBJECT_ATTRIBUTES_INIT(attributes), (void)WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(attributes, type))

// One description of a type for all files of a driver: weak, and hidden from other drivers.
#define WDF_DECLARE_TYPE_AND_GETTER_(type, getter)                                                            \
    EXTERN_C const WDF_OBJECT_CONTEXT_TYPE_INFO WDF_TYPE_NAME_TO_TYPE_INFO(type)                              \
        __attribute__((weak, visibility("hidden")));                                                          \
    const WDF_OBJECT_CONTEXT_TYPE_INFO WDF_TYPE_NAME_TO_TYPE_INFO(type) = {                                   \
        sizeof(WDF_OBJECT_CONTEXT_TYPE_INFO), #type, sizeof(type), &WDF_TYPE_NAME_TO_TYPE_INFO(type), NULL};  \
    FORCEINLINE type *getter(WDFOBJECT object)                                                                \
    {                                                                                                         \
        return (type *)WdfObjectGetTypedContextWorker(object, WDF_GET_CONTEXT_TYPE_INFO(type)->UniqueType);   \
    }
#define WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(type, getter) WDF_DECLARE_TYPE_AND_GETTER_(type, getter)
#define WDF_DECLARE_CONTEXT_TYPE(type) WDF_DECLARE_TYPE_AND_GETTER_(type, WdfObjectGet_##type)
#define WdfObjectGetTypedContext(object, type) \
    ((type *)WdfObjectGetTypedContextWorker((object), WDF_GET_CONTEXT_TYPE_INFO(type)->UniqueType))

NTOS_DECLARATIONS_BEGIN

// The context of this type, zeroed when the object was made; NULL when it has none.
PVOID WdfObjectGetTypedContextWorker(WDFOBJECT object, PCWDF_OBJECT_CONTEXT_TYPE_INFO type);
// STATUS_OBJECT_NAME_EXISTS: it has one of this type.
NTSTATUS WdfObjectAllocateContext(WDFOBJECT object, PWDF_OBJECT_ATTRIBUTES attributes, PVOID *context);
NTSTATUS WdfObjectCreate(PWDF_OBJECT_ATTRIBUTES attributes, WDFOBJECT *object);
// Cleans up the object and all below it, and drops its first reference.
VOID WdfObjectDelete(WDFOBJECT object);
VOID WdfObjectReferenceActual(WDFOBJECT object);
VOID WdfObjectDereferenceActual(WDFOBJECT object);
#define WdfObjectReference(object) WdfObjectReferenceActual(object)
#define WdfObjectDereference(object) WdfObjectDereferenceActual(object)
#define WdfObjectReferenceWithTag(object, tag) WdfObjectReferenceActual(object)
#define WdfObjectDereferenceWithTag(object, tag) WdfObjectDereferenceActual(object)
// The lock of a device or queue.
VOID WdfObjectAcquireLock(WDFOBJECT object);
VOID WdfObjectReleaseLock(WDFOBJECT object);

NTOS_DECLARATIONS_END
