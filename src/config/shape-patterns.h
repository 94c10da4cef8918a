/*
 * What the decoder and the schema say alike about texts. The decoder takes no more than these (strtod would).
 */
#pragma once

#include "config/shape.h"

#define SIZE_PATTERN "^[0-9]+(\\.[0-9]+)?([kKmMgGtT]([iI]?[bB])?|[bB])?$"
#define SPAN_PATTERN "^(([0-9]+(\\.[0-9]+)?(ms|s|m|h|d|w))+|[0-9]+(\\.[0-9]+)?)$"
/* A text with a parameter in it: it may become anything. */
#define PARAMETER_MARK "${"
#define PARAMETER_PATTERN "\\$\\{"
