/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program asks of a base before it is made, and what the environment adds. */

#include "base.h"
#include "env.h"

struct event_config *event_config_new(void)
{
	struct event_config *cfg = evi_calloc(1, sizeof(*cfg));

	if (cfg == NULL)
		return NULL;
	cfg->max_interval_ns = -1;
	cfg->max_callbacks = INT_MAX;
	return cfg;
}

void event_config_free(struct event_config *cfg)
{
	if (cfg == NULL)
		return;
	for (size_t i = 0; i < cfg->avoided_count; i++)
		evi_free(cfg->avoided[i]);
	evi_free(cfg->avoided);
	evi_free(cfg);
}

int event_config_avoid_method(struct event_config *cfg, const char *method)
{
	char **avoided, *copy;

	if (cfg == NULL || method == NULL)
		return -1;
	avoided = evi_realloc(cfg->avoided, (cfg->avoided_count + 1) * sizeof(*avoided));
	if (avoided == NULL)
		return -1;
	cfg->avoided = avoided;
	copy = evi_strdup(method);
	if (copy == NULL)
		return -1;
	avoided[cfg->avoided_count++] = copy;
	return 0;
}

int evi_config_avoids(const struct event_config *cfg, const char *name)
{
	for (size_t i = 0; cfg != NULL && i < cfg->avoided_count; i++) {
		if (strcmp(cfg->avoided[i], name) == 0)
			return 1;
	}
	return 0;
}

int event_config_require_features(struct event_config *cfg, int feature)
{
	if (cfg == NULL)
		return -1;
	cfg->features = feature;
	return 0;
}

int event_config_set_flag(struct event_config *cfg, int flag)
{
	if (cfg == NULL)
		return -1;
	cfg->flags |= flag;
	return 0;
}

int event_config_set_num_cpus_hint(struct event_config *cfg, int cpus)
{
	if (cfg == NULL)
		return -1;
	cfg->cpus = cpus > 0 ? cpus : 0;
	return 0;
}

int event_config_set_max_dispatch_interval(struct event_config *cfg,
					   const struct timeval *max_interval, int max_callbacks,
					   int min_priority)
{
	if (cfg == NULL)
		return -1;
	cfg->max_interval_ns = max_interval != NULL ? (int64_t)evi_time_ns_of(max_interval) : -1;
	cfg->max_callbacks = max_callbacks >= 0 ? max_callbacks : INT_MAX;
	cfg->min_priority = min_priority >= 0 ? min_priority : 0;
	return 0;
}

int evi_config_flags(const struct event_config *cfg)
{
	static const struct {
		const char *name;
		int flag;
	} variables[] = {
		{ "EVENT_PRECISE_TIMER", EVENT_BASE_FLAG_PRECISE_TIMER },
		{ "EVENT_EPOLL_USE_CHANGELIST", EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST },
		{ "EVENT_USE_SIGNALFD", EVENT_BASE_FLAG_USE_SIGNALFD },
	};
	int flags = cfg != NULL ? cfg->flags : 0;

	if (flags & EVENT_BASE_FLAG_IGNORE_ENV)
		return flags;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		if (evi_getenv(variables[i].name) != NULL)
			flags |= variables[i].flag;
	}
	return flags;
}
