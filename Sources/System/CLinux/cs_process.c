#include "cs_process.h"

#include <sys/prctl.h>

int cs_process_renounce_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
