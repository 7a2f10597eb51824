#include "emulator.h"

#include <errno.h>
#include <time.h>

void emu_init(struct emu *emu)
{
    pthread_condattr_t attributes;

    *emu = (struct emu){0};
    pthread_mutex_init(&emu->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&emu->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    emu_shapes_load(&emu->shapes);
    emu_tokens_init(&emu->tokens);
    emu->at_start = emu->tokens;
    emu_limits_init(&emu->limits);
    emu->limits_at_start = emu->limits;
}

void emu_release(struct emu *emu)
{
    emu_reset(emu);
    emu_counts_release(&emu->counts);
    emu_shapes_release(&emu->shapes);
    pthread_cond_destroy(&emu->ended);
    pthread_mutex_destroy(&emu->lock);
}

static int64_t true_time_us(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t emu_now_us(const struct emu *emu)
{
    return (emu->stopped ? emu->stopped_us : true_time_us()) + emu->ahead_us;
}

void emu_stop_clock(struct emu *emu, bool stopped)
{
    int64_t now_us = emu_now_us(emu);
    int64_t true_us = true_time_us();

    emu->ahead_us = now_us - true_us;
    emu->stopped = stopped;
    emu->stopped_us = true_us;
}

bool emu_wait_ms(struct emu *emu, long delay_ms)
{
    struct timespec until = {0};

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += delay_ms / 1000;
    until.tv_nsec += delay_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (delay_ms > 0 && !emu->ending && pthread_cond_timedwait(&emu->ended, &emu->lock, &until) != ETIMEDOUT)
        ;
    return !emu->ending;
}

void emu_end(struct emu *emu)
{
    pthread_mutex_lock(&emu->lock);
    emu->ending = true;
    pthread_cond_broadcast(&emu->ended);
    pthread_mutex_unlock(&emu->lock);
}

void emu_reset(struct emu *emu)
{
    emu_counts_reset(&emu->counts);
    emu_tls_faults_reset(&emu->tls_faults);
    emu_faults_clear(&emu->faults);
    emu_issued_clear(&emu->issued);
    emu_tokens_clear(&emu->tokens);
    emu->tokens = emu->at_start;
    emu_limits_forget(&emu->limits);
    emu->limits = emu->limits_at_start;
    emu->ahead_us = 0;
    emu->stopped = false;
}
