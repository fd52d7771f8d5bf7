#include "cs_memory.h"

#include <malloc.h>

void cs_memory_give_back(void)
{
    malloc_trim(0);
}
