// The public header of model/base: what every other module may rely on.
#pragma once

#include "model/base/checked.h"
#include "model/base/conventions.h"
#include "model/base/ids.h"
#include "model/base/status.h"
#include "model/base/text.h"
