/// What this process may become.
#pragma once

/// From now on no program that this thread, or one that it starts, executes gets more rights than it has itself,
/// whatever its file says. 0, or -1 where the kernel does not know how.
int cs_process_renounce_privileges(void);
