/* SPDX-License-Identifier: MIT
 * Masking of command lines: what must go, what must stay, and that arguments keep their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "recorder/mask.h"

struct sample {
    const char *text, *want; /* '|' stands for NUL */
};

static size_t to_nuls(char *to, const char *from)
{
    const size_t n = strlen(from);
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] == '|' ? '\0' : from[i];
    return n;
}

static void check(enum pt_cmdline how, const struct sample *s)
{
    char text[512], want[512];
    const size_t n = to_nuls(text, s->text), m = to_nuls(want, s->want);
    struct pt_buf out;
    pt_buf_init(&out, 4096);
    pt_mask(how, text, n, &out);
    assert_false(out.failed);
    if (out.len != m || (m && memcmp(out.data, want, m) != 0)) {
        print_error("'%s' became '", s->text);
        for (size_t i = 0; i < out.len; i++)
            print_error("%c", out.data[i] ? out.data[i] : '|');
        print_error("', wanted '%s'\n", s->want);
        fail();
    }
    pt_buf_release(&out);
}

static void secrets_go(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"app|--password=hunter2|", "app|--password=***|"},
        {"app|--password=two words|-v|", "app|--password=***|-v|"},
        {"app|--password|hunter2|-v|", "app|--password|***|-v|"},
        {"app|--db.Password=x|", "app|--db.Password=***|"},
        {"app|--api-key|k|", "app|--api-key|***|"},
        {"app|--secret-access-key=abc|", "app|--secret-access-key=***|"},
        {"env|MYSQL_PWD=x|PGPASSWORD=y|app|", "env|MYSQL_PWD=***|PGPASSWORD=***|app|"},
        {"sh|-c|app --token=abc --port=80|", "sh|-c|app --token=*** --port=80|"},
        {"sh|-c|app --token='a b' --port=80|", "sh|-c|app --token=*** --port=80|"},
        {"app|postgres://joe:s3cret@db:5432/x|", "app|postgres://joe:***@db:5432/x|"},
        {"app|--url=redis://:s3cret@db/0|", "app|--url=redis://:***@db/0|"},
        {"app|amqp://u:p@ss@host/|", "app|amqp://u:***@host/|"},
        {"get|https://x/?a=1&access_token=abc&b=2|", "get|https://x/?a=1&access_token=***&b=2|"},
        {"curl|-H|Authorization: Bearer abc.def|", "curl|-H|Authorization: ***|"},
        {"curl|-u|joe:s3cret|http://x|", "curl|-u|joe:***|http://x|"},
        {"/usr/bin/curl|-ujoe:s3cret|", "/usr/bin/curl|-ujoe:***|"},
        {"mysql|-uroot|-ps3cret|", "mysql|-uroot|-p***|"},
        {"/usr/bin/mysqldump|-ps3cret|", "/usr/bin/mysqldump|-p***|"},
        {"sshpass|-p|s3cret|ssh|x|", "sshpass|-p|***|ssh|x|"},
        {"redis-cli|-a|s3cret|", "redis-cli|-a|***|"},
        {"aws|AKIAIOSFODNN7EXAMPLE|", "aws|***|"},
        {"aws|AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE|", "aws|AWS_ACCESS_KEY_ID=***|"},
        {"git|clone|https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/x|",
         "git|clone|https://***@github.com/x|"},
        {"openssl|-passin|pass:s3cret|", "openssl|-passin|***|"},
        {"worker: --password=abc more", "worker: --password=*** more"},
        {"java|-Djavax.net.ssl.keyStorePassword=x|", "java|-Djavax.net.ssl.keyStorePassword=***|"},
    };
    for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
        check(PT_CMDLINE_MASKED, &samples[i]);
}

static void the_rest_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "|",
        "||",
        "sleep|60|",
        "nginx: worker process",
        "app|--passwd-file=/etc/x|--token-ttl|60|",
        "app|--password|--verbose|",
        "app|--port=80|--author=joe|--compass=n|",
        "app|http://host:8080/path@2x.png|",
        "app|user@host:/path|",
        "cp|-p|a|b|",
        "mkdir|-p|/a/b|",
        "ssh|-p|22|host|",
        "app|sk-short|",
        "java|-Xmx4g|-cp|/a:/b|Main|",
        "no final nul",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        check(PT_CMDLINE_MASKED, &(struct sample){texts[i], texts[i]});
}

static void modes(void **state)
{
    (void)state;
    check(PT_CMDLINE_FULL, &(struct sample){"app|--password=x|", "app|--password=x|"});
    check(PT_CMDLINE_NAME, &(struct sample){"/usr/bin/app|--password=x|", "/usr/bin/app|"});
    check(PT_CMDLINE_NAME, &(struct sample){"worker: secret title", "worker:|"});
    check(PT_CMDLINE_NAME, &(struct sample){"", ""});
    check(PT_CMDLINE_NAME, &(struct sample){"app", "app"});
}

/* Any bytes: no argument is lost or added, and nothing is read out of bounds (the text ends at its
 * block's end). */
static void any_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "ab-=:/@|?& '\"pPTtokenpassword=//x:y@";
    unsigned seed = 1;
    for (int round = 0; round < 20000; round++) {
        const size_t n = (size_t)(round % 40);
        char *text = malloc(n + 1);
        size_t nuls = 0, got = 0;
        assert_non_null(text);
        char *exact = n ? malloc(n) : NULL;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1103515245u + 12345u;
            const char c = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
            exact[i] = c == '|' ? '\0' : c;
            nuls += exact[i] == 0;
        }
        struct pt_buf out;
        pt_buf_init(&out, 4096);
        pt_mask(PT_CMDLINE_MASKED, exact ? exact : text, n, &out);
        for (size_t i = 0; i < out.len; i++)
            got += out.data[i] == 0;
        assert_int_equal(got, nuls);
        pt_buf_release(&out);
        free(exact);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_go),
        cmocka_unit_test(the_rest_stays),
        cmocka_unit_test(modes),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
