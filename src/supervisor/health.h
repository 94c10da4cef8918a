/*
 * A session's probes (spec.probes): commands that its supervisor runs inside, again and again, and judges by their
 * exit code. What they say is in the status (health, readiness); what each of the last ones said, in health.json
 * beside it. A probe that takes too long is killed with all that it started, by pterm-init, so also when its
 * supervisor is killed meanwhile. A session without probes has no timer for them.
 */
#pragma once

#include "base/err.h"
#include "engine/spec.h"
#include "supervisor/status.h"

struct supervisor;

enum { PROBE_RESULTS_MAX = 5, PROBE_OUTPUT_MAX = 4096 };

void health_forget(struct status *st);            /* what was found before says nothing any more */
void health_begin(struct supervisor *s);         /* the command was executed: a new judgement */
void health_go_on(struct supervisor *s);         /* by the supervisor that has adopted it */
void health_end(struct supervisor *s);           /* no more probes; their processes end with the container */
void health_free(struct supervisor *s);

/* Execs of which the engine tells: those of probes have numbers that others never have. */
bool health_is_probe(uint32_t exec);
void health_failed(struct supervisor *s, uint32_t exec, const struct err *why, int exit_code);
void health_exited(struct supervisor *s, uint32_t exec, int wait_status);

/*
 * What a probe says after one more result, @is_good, @age_ms after the start, when it said @state before; *failing
 * counts failures in a row.
 */
enum probe_state probe_judge(const struct spec_probe *p, enum probe_state state, bool is_good, uint64_t age_ms,
                             int64_t *failing);
/* How long to wait until the next: soon, while it is not known yet and nothing is lost by a failure. */
uint64_t probe_pause_ms(const struct spec_probe *p, enum probe_state state, uint64_t age_ms);

/* health.json, for whoever reads it. */
struct probe_result { int64_t time_ms, took_ms, exit_code; bool timed_out; char *output; };
struct probe_record { int kind; int64_t failing; VEC(struct probe_result) results; };     /* the last ones, oldest first */
struct health_record { VEC(struct probe_record) probes; };
extern const struct json_object health_record_object;
/* 0, also when there is none; or -errno. The caller releases it. */
int health_read(int session_fd, struct health_record *ret, struct err *err);
void health_record_release(struct health_record *r);
#define _health_record_ _cleanup_(health_record_release) struct health_record
