/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_FORK_H_INCLUDED
#define EVI_OS_FORK_H_INCLUDED

/* How often this process image has been forked; what was made under an older number is a copy. */
unsigned evi_fork_count(void);

#endif
