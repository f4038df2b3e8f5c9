/* talks_too_much: says at great length why it cannot be used. */
#include <scopestream/measure.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((constructor)) static void talk(void) {
    static struct {
        uint32_t kind, length_bytes;
        char words[100000];
    } refused = {1, sizeof refused.words, ""};
    memset(refused.words, 'a', sizeof refused.words);
    refused.words[1] = '\n';
    send(3, &refused, sizeof refused, MSG_NOSIGNAL);
    _exit(0);
}

const ScopestreamMeasure scopestream_measure;
