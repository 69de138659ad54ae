/* wc.c - counts the lines, words and bytes that it reads. */
#include "lib.h"

int
main(int argc, char **argv, char **envp)
{
    char buffer[512];
    int64_t n, lines = 0, words = 0, bytes = 0;
    bool in_word = false;
    (void)argc, (void)argv, (void)envp;
    while ((n = sys_read(0, buffer, sizeof(buffer))) > 0) {
        bytes += n;
        for (int64_t i = 0; i < n; i++) {
            bool blank = buffer[i] == ' ' || buffer[i] == '\n' || buffer[i] == '\t';
            lines += buffer[i] == '\n';
            words += !blank && !in_word;
            in_word = !blank;
        }
    }
    say("%d %d %d\n", lines, words, bytes);
    return n < 0;
}
