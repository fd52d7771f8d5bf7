/// The memory of this process.
#pragma once

/// Gives the pages back to the system that nobody uses. The allocator else keeps them below the last block that is in
/// use, so that a process would stay as large as its busiest minute.
void cs_memory_give_back(void);
