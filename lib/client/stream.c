/* Streams as the client's own parts (watch, snapshot) see them; the backend does the work. */
#include "client/client_int.h"

int client_stream_open(struct kvs_client *c, struct client_stream *s, const void *first)
{
    int err;

    s->client = c;
    list_push_back(&c->streams, &s->node);
    err = c->backend->ops->stream_open(c->backend, s, first);
    if (err != 0) {
        list_remove(&s->node);
    }
    return err;
}

void client_stream_send(struct client_stream *s, const void *req)
{
    s->client->backend->ops->stream_send(s->client->backend, s, req);
}

void client_stream_pause(struct client_stream *s)
{
    s->client->backend->ops->stream_pause(s->client->backend, s);
}

void client_stream_resume(struct client_stream *s)
{
    s->client->backend->ops->stream_resume(s->client->backend, s);
}

void client_stream_cancel(struct client_stream *s)
{
    s->client->backend->ops->stream_cancel(s->client->backend, s);
}

void client_stream_ended(struct client_stream *s, int code, const char *text)
{
    struct kvs_client *c = s->client;

    list_remove(&s->node);
    s->on_end(s, code, text);
    client_maybe_stop(c);
}
