#include "store/page/page.h"
#include "store/page/looks.h"
#include "store/page/state.h"
#include "store/page/web.h"
#include "stream/address.h"
#include "stream/http.h"
#include "stream/program.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    State *state;
    Looks *looks;
    Http *http;
} Page;

/* --- answering: on the server's thread --- */

static bool file_answer(HttpRequest *request) {
    const char *type, *cache_control;
    GBytes *file = web_file(http_path(request), &type, &cache_control);
    if (file != NULL)
        http_answer(request, 200, type, file, cache_control);
    return file != NULL;
}

static void page_answer(HttpRequest *request, void *context) {
    Page *page = context;
    if (g_str_equal(http_path(request), "/state")) {
        state_answer(page->state, request);
    } else if (g_str_equal(http_path(request), "/events")) {
        http_answer_events(request);
        state_wake(page->state);
    } else if (!looks_answer(page->looks, request) && !file_answer(request)) {
        http_answer_text(request, 404, "there is no such page here; / is the one there is");
    }
}

/* --- beginning and end --- */

bool page_check(const Settings *settings, GError **error) {
    if (address_check(settings->page_listen, error))
        return true;
    g_prefix_error(error, "[store] page-listen = ");
    return false;
}

/* Whoever starts a second page meets the first. */
static void hint_busy(GError **error) {
    if (*error == NULL || !g_str_has_suffix((*error)->message, g_strerror(EADDRINUSE)))
        return;
    g_autofree char *words = g_steal_pointer(&(*error)->message);
    (*error)->message = g_strconcat(words,
                                    ": --page-listen ADDRESS:PORT chooses another; "
                                    "perhaps a page runs there already",
                                    NULL);
}

/* A database that is away comes back; one that refuses us is a matter of settings. */
static bool page_start(Page *page, const Settings *settings, GError **error) {
    g_autoptr(GError) away = NULL;
    page->state = state_new(settings, error);
    if (page->state == NULL)
        return false;
    if (!state_try(page->state, &away)) {
        if (!fault_is(away, FAULT_AGAIN)) {
            g_propagate_error(error, g_steal_pointer(&away));
            return false;
        }
        log_warning("%s: the page says so, and goes on when it is back", away->message);
    }
    page->looks = looks_start(settings, error);
    page->http =
        page->looks != NULL ? http_start(settings->page_listen, page_answer, page, error) : NULL;
    if (page->http == NULL)
        hint_busy(error);
    return page->http != NULL;
}

static void page_tell(const Page *page) {
    printf("http://%s/\n", http_address(page->http));
    fflush(stdout);
    if (!address_is_loopback(http_address(page->http)))
        log_warning("the page listens on %s: whoever reaches it may look, without a password",
                    http_address(page->http));
    program_notify("READY=1");
}

/* The threads that answer end before the server does, and what they answer from after it. */
static void page_stop(Page *page) {
    state_stop(page->state);
    looks_stop(page->looks);
    http_stop(page->http);
    state_free(page->state);
    looks_free(page->looks);
}

int page_command(const Settings *settings, char **arguments) {
    Page page = {0};
    GError *error = NULL;
    if (!page_start(&page, settings, &error)) {
        page_stop(&page);
        return program_fail(error);
    }
    state_start(page.state, page.http);
    page_tell(&page);
    while (program_sleep(3600 * 1000))
        ;
    page_stop(&page);
    return EXIT_SUCCESS;
}
