/* The mailbox between threads: nothing is lost, each sender's order is kept, stop wakes. */
#include "test_base.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mbox.h"

#define SENDERS    4
#define PER_SENDER 5000

struct message {
    struct list link;
    int sender;
    int n;
};

struct sender {
    pthread_t thread;
    struct mbox *mbox;
    int number;
};

static void *sender_run(void *arg)
{
    struct sender *s = arg;

    for (int n = 0; n < PER_SENDER; n++) {
        struct message *m = kvs_malloc(sizeof *m);

        m->sender = s->number;
        m->n = n;
        mbox_post(s->mbox, &m->link);
    }
    return NULL;
}

static void *stop_run(void *arg)
{
    mbox_stop(arg);
    return NULL;
}

/* Frees the messages and checks that each sender's come in order. Returns how many. */
static int drain(struct list *messages, int *next)
{
    struct list *node;
    int n = 0;

    while ((node = list_pop_front(messages)) != NULL) {
        struct message *m = list_entry(node, struct message, link);

        assert_int_equal(m->n, next[m->sender]++);
        kvs_free(m);
        n++;
    }
    return n;
}

static void test_mbox_keeps_every_senders_order(void **state)
{
    struct mbox *mbox = mbox_new(NULL, NULL);
    struct sender senders[SENDERS];
    int next[SENDERS] = {0};
    int received = 0;
    struct list messages;

    (void)state;
    list_init(&messages);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.mbox = mbox, .number = i};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, sender_run, &senders[i]), 0);
    }
    while (received < SENDERS * PER_SENDER) {
        assert_true(mbox_wait(mbox, &messages));
        received += drain(&messages, next);
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
    }
    assert_false(mbox_take(mbox, &messages));
    mbox_free(mbox);
}

static void test_mbox_stop_wakes_and_delivers_what_was_posted(void **state)
{
    struct mbox *mbox = mbox_new(NULL, NULL);
    struct message last = {.n = 1};
    struct list messages;
    pthread_t thread;

    (void)state;
    list_init(&messages);
    assert_int_equal(pthread_create(&thread, NULL, stop_run, mbox), 0);
    assert_false(mbox_wait(mbox, &messages));
    pthread_join(thread, NULL);
    mbox_post(mbox, &last.link);
    assert_true(mbox_wait(mbox, &messages));
    assert_ptr_equal(list_pop_front(&messages), &last.link);
    assert_false(mbox_wait(mbox, &messages));
    assert_false(mbox_wait_timeout(mbox, &messages, 100000));
    mbox_free(mbox);
}

static void count_wake(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static void test_mbox_wakes_once_until_taken(void **state)
{
    atomic_int wakes = 0;
    struct mbox *mbox = mbox_new(count_wake, &wakes);
    struct message messages[3];
    struct list taken;

    (void)state;
    list_init(&taken);
    for (int i = 0; i < 3; i++) {
        mbox_post(mbox, &messages[i].link);
    }
    assert_int_equal(atomic_load(&wakes), 1);
    assert_true(mbox_take(mbox, &taken));
    mbox_post(mbox, list_pop_front(&taken));
    assert_int_equal(atomic_load(&wakes), 2);
    assert_true(mbox_take(mbox, &taken)); /* at the end of what was there */
    assert_ptr_equal(list_pop_front(&taken), &messages[1].link);
    assert_ptr_equal(list_pop_front(&taken), &messages[2].link);
    assert_ptr_equal(list_pop_front(&taken), &messages[0].link);
    mbox_free(mbox);
}

static void test_mbox_wait_has_a_bound(void **state)
{
    struct mbox *mbox = mbox_new(NULL, NULL);
    uint64_t begin = clock_ms(clock_system());
    struct list messages;

    (void)state;
    list_init(&messages);
    assert_false(mbox_wait_timeout(mbox, &messages, 30));
    assert_true(clock_ms(clock_system()) - begin >= 29);
    mbox_free(mbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mbox_keeps_every_senders_order),
        cmocka_unit_test(test_mbox_stop_wakes_and_delivers_what_was_posted),
        cmocka_unit_test(test_mbox_wakes_once_until_taken),
        cmocka_unit_test(test_mbox_wait_has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
