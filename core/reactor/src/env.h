/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_ENV_H_INCLUDED
#define EVI_ENV_H_INCLUDED

/*
 * The value of an environment variable, or NULL if it is not set, or if the process runs with more
 * rights than the user who started it: then the environment is not to be trusted.
 */
const char *evi_getenv(const char *name);

#endif
