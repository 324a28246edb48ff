/* labels.h: has moved; this is for branches that are under way. */
#include "model/labels.h"
