#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian package: what is in it, what its scripts do in a root of its own, and that the programs in it run.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ -z "${PT_SANITIZED:-}" ] || skip 'a package is made of plain builds only'
for program in cpack dpkg dpkg-deb dpkg-shlibdeps gzip; do
    command -v $program >/dev/null 2>&1 || skip "no $program"
done
cd "$PT_BUILD" && cpack -G DEB -B "$PT_TMP/made" >"$PT_TMP/cpack" 2>&1 || fail "cpack: $(cat "$PT_TMP/cpack")"
deb=$(echo "$PT_TMP"/made/*.deb)
root=$PT_TMP/root
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/etc" "$root/usr/lib"
: >"$root/var/lib/dpkg/status"

echo '-- content'
dpkg-deb -c "$deb" | awk '$1 !~ /^d/ {print $2, $6}' | sed 's/ \./ /' | sort -k2 >"$PT_TMP/content"
cat >"$PT_TMP/expected" <<END
root/root /etc/pagetrail/pagetraild.conf
root/root /usr/bin/pagetrail
root/root /usr/lib/systemd/system/pagetraild.service
root/root /usr/lib/sysusers.d/pagetrail.conf
root/root /usr/lib/tmpfiles.d/pagetrail.conf
root/root /usr/sbin/pagetraild
root/root /usr/share/bash-completion/completions/pagetrail
root/root /usr/share/bash-completion/completions/pagetraild
root/root /usr/share/doc/pagetrail/NEWS.gz
root/root /usr/share/doc/pagetrail/changelog.gz
root/root /usr/share/doc/pagetrail/copyright
root/root /usr/share/man/man1/pagetrail.1.gz
root/root /usr/share/man/man5/pagetraild.conf.5.gz
root/root /usr/share/man/man8/pagetraild.8.gz
END
diff "$PT_TMP/expected" "$PT_TMP/content" || fail 'the content is another (left: expected)'
[ "$(dpkg-deb -I "$deb" conffiles)" = /etc/pagetrail/pagetraild.conf ] || fail 'the configuration is no conffile'
for library in libsqlite3-0 libzstd1 libjansson4 libc6; do
    dpkg-deb -f "$deb" Depends | grep -q "$library" || fail "does not depend on $library"
done

echo '-- the programs'
dpkg-deb -x "$deb" "$PT_TMP/tree"
run "$PT_TMP/tree/usr/sbin/pagetraild" -q -o "$PT_TMP/x.db" --once --deep off --config "$PT_TMP/tree/etc/pagetrail/pagetraild.conf"
run "$PT_TMP/tree/usr/bin/pagetrail" info "$PT_TMP/x.db" >/dev/null

echo '-- install, remove, purge'
[ "$(id -u)" -eq 0 ] || skip 'installing needs root; the rest is good'
command -v deb-systemd-helper >/dev/null 2>&1 && command -v systemd-sysusers >/dev/null 2>&1 || skip 'no systemd'
into()
{
    dpkg --root="$root" --force-depends --force-script-chrootless "$@" >"$PT_TMP/dpkg" 2>&1 || fail "dpkg: $(cat "$PT_TMP/dpkg")"
}
into -i "$deb"
uid=$(sed -n 's/^pagetrail:x:\([0-9]*\):.*:\/usr\/sbin\/nologin$/\1/p' "$root/etc/passwd")
[ -n "$uid" ] || fail 'no user pagetrail'
[ "$(stat -c '%a %u' "$root/var/lib/pagetrail")" = "700 $uid" ] || fail 'its folder is not its own, or others look into it'
[ -L "$root/etc/systemd/system/multi-user.target.wants/pagetraild.service" ] || fail 'not enabled'
echo 'interval = 1m' >>"$root/etc/pagetrail/pagetraild.conf"
echo data >"$root/var/lib/pagetrail/pagetrail.db"
into -i "$deb"
grep -q '^interval = 1m$' "$root/etc/pagetrail/pagetraild.conf" || fail 'an edited configuration was replaced'
into -r pagetrail
[ -f "$root/etc/pagetrail/pagetraild.conf" ] || fail 'removing took the configuration'
into -P pagetrail
[ ! -e "$root/etc/pagetrail" ] || fail 'purging left the configuration'
[ -z "$(find "$root/etc/systemd" "$root/var/lib/systemd" ! -type d)" ] || fail 'purging left it enabled'
[ "$(cat "$root/var/lib/pagetrail/pagetrail.db")" = data ] || fail 'purging took recordings'
