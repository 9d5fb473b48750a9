// Annotations, under another of their Windows names.
#pragma once

#include "wfpannotations.h"
