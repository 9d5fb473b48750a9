// The two management headers in one file: refused.
#include <fwpmu.h>
#include <fwpmk.h>
