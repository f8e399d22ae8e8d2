/* SPDX-License-Identifier: MIT
 * Names of services, containers and pods, from the paths their managers make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analyze/series/service.h"

#define ID      "c8b38413c88eefe063b8cd3f01c16be5e3bda9693a19a68a88807baca9feb937"
#define OTHER   "34dc0b5e626f2c5c4c5170e34b10e7654ce36f0fcd532739f4445baabea03376"
#define SHORT   "c8b38413c88e"
#define UID     "5759a1ae-36ca-48a8-b20a-b0b5c8a90fb8"
#define UID_    "5759a1ae_36ca_48a8_b20a_b0b5c8a90fb8"
#define STATIC  "91a8fc3a0ecf48b481bf78a7275d348c" /* of a static pod: a hash */
#define USER    "/user.slice/user-1000.slice/user@1000.service"
#define PODS    "/kubepods.slice/kubepods-"
#define NOTHING "", "", "", NULL

struct expected {
    const char *path, *name, *container, *pod, *qos;
};

static void check(const struct expected *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct expected *want = &cases[i];
        struct pt_service got;
        memset(&got, 'x', sizeof(got));
        const bool found = pt_service_of_cgroup(want->path, &got);
        if (found != (*want->name != '\0') || strcmp(got.name, want->name) != 0 ||
            strcmp(got.container, want->container) != 0 || strcmp(got.pod, want->pod) != 0)
            fail_msg("%s: '%s' '%s' '%s'", want->path, got.name, got.container, got.pod);
        if (want->qos)
            assert_string_equal(got.qos, want->qos);
        else
            assert_null(got.qos);
    }
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

static void units_of_systemd(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"/system.slice/nginx.service", "nginx.service", "", "", NULL},
        {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "", "", NULL},
        {"/system.slice/system-l8r\\x2ddomaintld.slice/l8r-domaintld@machine.service",
         "l8r-domaintld@machine.service", "", "", NULL},
        {"/system.slice/dev-disk-by\\x2duuid-1b2c.swap", "dev-disk-by\\x2duuid-1b2c.swap", "", "",
         NULL}, /* escapes are part of a unit's name */
        {"/system.slice/mnt-data.mount", "mnt-data.mount", "", "", NULL},
        {"/system.slice/system-postgresql.slice/postgresql@15-main.service/worker",
         "postgresql@15-main.service", "", "", NULL},
        {"/init.scope", "init.scope", "", "", NULL},
        {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", "", NULL},
        /* a user's units bear the names of the system's */
        {USER "/init.scope", "user@1000/init.scope", "", "", NULL},
        {USER "/app.slice/dbus.service", "user@1000/dbus.service", "", "", NULL},
        {USER "/app.slice/app-org.gnome.Terminal.slice/vte-spawn-f22f14d2-3d44.scope",
         "user@1000/vte-spawn-f22f14d2-3d44.scope", "", "", NULL},
        {USER, "user@1000.service", "", "", NULL},
        {"/user.slice", NOTHING},
        {"/system.slice/system-getty.slice", NOTHING},
        {"/", NOTHING},
        {"", NOTHING},
        {"/.service", NOTHING},
        {"//a//b//", NOTHING},
    };
    CHECK(cases);
}

static void containers(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"/docker/" ID, "docker-" SHORT, ID, "", NULL},
        {"/system.slice/docker-" ID ".scope", "docker-" SHORT, ID, "", NULL},
        {USER "/user.slice/docker-" ID ".scope", "docker-" SHORT, ID, "", NULL},
        {"/docker/" ID "/docker/" OTHER, "docker-34dc0b5e626f", OTHER, "", NULL},
        {"/docker/buildkit/k3x9", "buildkit-k3x9", "k3x9", "", NULL},
        {"/actions_job/" ID, "container-" SHORT, ID, "", NULL}, /* --cgroup-parent */
        {"/" ID, "container-" SHORT, ID, "", NULL},
        {"/system.slice/nerdctl-" ID ".scope", "nerdctl-" SHORT, ID, "", NULL},
        {"system.slice:docker:" ID, "docker-" SHORT, ID, "", NULL},
        /* podman: rootful, rootless, as a service, its monitor, in a pod */
        {"/machine.slice/libpod-" ID ".scope/container", "podman-" SHORT, ID, "", NULL},
        {"/machine.slice/libpod-conmon-" ID ".scope", "podman-conmon-" SHORT, ID, "", NULL},
        {USER "/user.slice/libpod-" ID ".scope/container", "podman-" SHORT, ID, "", NULL},
        {"/libpod_parent/libpod-" ID, "podman-" SHORT, ID, "", NULL},
        {"/system.slice/web.service/libpod-payload-" ID, "web.service", ID, "", NULL},
        {USER "/app.slice/web.service/libpod-payload-" ID, "user@1000/web.service", ID, "", NULL},
        {"/system.slice/web.service/runtime", "web.service", "", "", NULL},
        {"/libpod-payload-" ID, "podman-" SHORT, ID, "", NULL},
        {USER "/user.slice/user-libpod_pod_" OTHER ".slice/libpod-" ID ".scope/container",
         "podman-" SHORT, ID, OTHER, NULL},
        {"/system.slice/crio-" ID ".scope", "crio-" SHORT, ID, "", NULL},
        {"/docker/short", NOTHING},
        {"/docker/" ID "0", "docker-" SHORT, ID "0", "", NULL},
        {"/docker-/" SHORT, NOTHING},
        {"/system.slice/docker.service", "docker.service", "", "", NULL},
        {"/system.slice/docker-registry.scope", "docker-registry.scope", "", "", NULL},
        /* systemd within a container is not the host's */
        {"/docker/" ID "/system.slice/nginx.service", "docker-" SHORT "/nginx.service", ID, "",
         NULL},
        {"/machine.slice/libpod-" ID ".scope/container/init.scope", "podman-" SHORT "/init.scope",
         ID, "", NULL},
    };
    CHECK(cases);
}

static void machines(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"/lxc/web", "lxc-web", "web", "", NULL},
        {"/lxc/web/system.slice", "lxc-web", "web", "", NULL},
        {"/lxc.payload/web", "lxc-web", "web", "", NULL},
        {"/lxc.payload.web", "lxc-web", "web", "", NULL},
        {"/lxc.payload.shop_web/system.slice/nginx.service", "lxc-shop_web/nginx.service",
         "shop_web", "", NULL},
        {"/lxc.payload.web/user.slice/user-0.slice/user@0.service/init.scope", "lxc-web/init.scope",
         "web", "", NULL},
        {"/lxc.monitor.web", "lxc-monitor-web", "web", "", NULL},
        {"/lxc.monitor/web", "lxc-monitor-web", "web", "", NULL},
        {"/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
         "machine-web/nginx.service", "web", "", NULL},
        {"/machine.slice/machine-web\\x2d1.scope/payload", "machine-web-1", "web-1", "", NULL},
        {"/machine.slice/machine-qemu\\x2d12\\x2dsmall\\x2dvm.scope/libvirt/emulator",
         "machine-qemu-small-vm", "qemu-12-small-vm", "", NULL},
        {"/machine.slice/machine-lxc\\x2d7\\x2dweb.scope", "machine-lxc-web", "lxc-7-web", "",
         NULL},
        {"/machine.slice/machine-qemu\\x2d.scope", "machine-qemu-", "qemu-", "", NULL},
        {"/machine.slice/machine-a\\x2.scope", "machine-a\\x2", "a\\x2", "", NULL},
    };
    CHECK(cases);
}

static void pods(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        /* kubelet with systemd's driver */
        {PODS "burstable.slice/kubepods-burstable-pod" UID_ ".slice/cri-containerd-" ID ".scope",
         "containerd-" SHORT, ID, UID, "burstable"},
        {PODS "besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/docker-" ID ".scope",
         "docker-" SHORT, ID, UID, "besteffort"},
        {PODS "pod" UID_ ".slice/crio-" ID ".scope/container", "crio-" SHORT, ID, UID,
         "guaranteed"},
        {PODS "pod" UID_ ".slice/crio-conmon-" ID ".scope", "crio-conmon-" SHORT, ID, UID,
         "guaranteed"},
        {PODS "burstable.slice/kubepods-burstable-pod" STATIC ".slice", "pod-" STATIC, "", STATIC,
         "burstable"},
        {"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
         "kubelet-kubepods-besteffort-pod" UID_ ".slice/cri-containerd-" ID ".scope",
         "containerd-" SHORT, ID, UID, "besteffort"},
        /* with its own */
        {"/kubepods/burstable/pod" UID "/" ID, "container-" SHORT, ID, UID, "burstable"},
        {"/kubepods/besteffort/pod" UID "/" ID, "container-" SHORT, ID, UID, "besteffort"},
        {"/kubepods/pod" UID "/crio-" ID, "crio-" SHORT, ID, UID, "guaranteed"},
        {"/kubepods/besteffort/pod" UID, "pod-" UID, "", UID, "besteffort"},
        {"/kubepods/burstable/pod" STATIC "/" ID, "container-" SHORT, ID, STATIC, "burstable"},
        /* a node in a container */
        {"/docker/" OTHER "/kubelet/kubepods/besteffort/pod" UID "/" ID, "container-" SHORT, ID,
         UID, "besteffort"},
        /* containerd without systemd's driver below a kubelet with it */
        {"/system.slice/containerd.service/kubepods-besteffort-pod" UID_
         ".slice:cri-containerd:" ID,
         "containerd-" SHORT, ID, UID, "besteffort"},
        {"/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" ID, "containerd-" SHORT, ID, UID,
         "burstable"},
        /* seen from another namespace */
        {"/../../pod" UID "/" ID, "container-" SHORT, ID, UID, NULL},
        {"/../cri-containerd-" ID ".scope", "containerd-" SHORT, ID, "", NULL},
        {"/../../../system.slice/nginx.service", "nginx.service", "", "", NULL},
        /* a group that is gone while its last process is not */
        {"/system.slice/nginx.service (deleted)", "nginx.service", "", "", NULL},
        {"/kubepods/pod" UID "/" ID " (deleted)", "container-" SHORT, ID, UID, "guaranteed"},
        {"/kubepods/podman/x", NOTHING},
        {"/kubepods/burstable", NOTHING},
        {"/podcast/" SHORT, NOTHING},
    };
    CHECK(cases);
}

/* Any bytes: nothing written past its end, all that is written is a string. */
static void long_and_random_paths(void **state)
{
    (void)state;
    static const char *const bits[] = {"/",   ".service", "docker-",  ID,      ".scope",
                                       "lxc", "\\x2d",    "machine-", "user@", "\xff",
                                       "pod", UID,        ":docker:", "a"};
    srand(1);
    for (int round = 0; round < 20000; round++) {
        char path[4096] = "";
        size_t n = 0;
        struct pt_service got;
        for (int i = rand() % 60; i > 0; i--) {
            const char *bit = bits[(size_t)rand() % (sizeof(bits) / sizeof(bits[0]))];
            memcpy(path + n, bit, strlen(bit) + 1);
            n += strlen(bit);
        }
        memset(&got, 'x', sizeof(got));
        const bool found = pt_service_of_cgroup(path, &got);
        assert_int_equal(found, got.name[0] != '\0');
        assert_true(memchr(got.name, '\0', sizeof(got.name)) != NULL);
        assert_true(memchr(got.container, '\0', sizeof(got.container)) != NULL);
        assert_true(memchr(got.pod, '\0', sizeof(got.pod)) != NULL);
    }
    char path[4096], want[256];
    struct pt_service got;
    memset(path, 'n', sizeof(path));
    memcpy(path + sizeof(path) - sizeof(".service"), ".service", sizeof(".service"));
    assert_true(pt_service_of_cgroup(path, &got));
    memset(want, 'n', sizeof(want) - 1);
    want[sizeof(want) - 1] = '\0';
    assert_string_equal(got.name, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_of_systemd),
        cmocka_unit_test(containers),
        cmocka_unit_test(machines),
        cmocka_unit_test(pods),
        cmocka_unit_test(long_and_random_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
