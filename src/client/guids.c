// The well-known GUIDs as symbols of libwfp, for programs that do not define them themselves.
#include <initguid.h>

#include "fwpmguids.h"
