#!/bin/sh
# Installs PRO Service, or a new version of it, on Linux with systemd: deploy/install.sh [--dry-run] [--yes]
# It says what it is going to do and asks before it does any of it. --dry-run shows the commands and does nothing, for
# which nobody need be root; --yes asks nothing.
set -eu
umask 022

home=/srv/pro
user=pro
units=/etc/systemd/system
programs="pro-service-web.service pro-service-scheduler.service"
deploy=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
dry_run=
yes=

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

# Shows a command, and carries it out unless this is a dry run.
run() {
    printf '+ %s\n' "$*"
    [ -n "$dry_run" ] || "$@"
}

for argument in "$@"; do
    case $argument in
        --dry-run) dry_run=1 ;;
        --yes) yes=1 ;;
        -h | --help)
            sed -n '2,4s/^# //p' "$0"
            exit 0
            ;;
        *) fail "unknown: $argument (there are --dry-run and --yes)" ;;
    esac
done

# --- what is needed ---------------------------------------------------------------------------------------------------

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "Python 3.11 or newer is needed. Name one: PYTHON=python3.12 deploy/install.sh"
"$python" -c 'import ensurepip' 2>/dev/null || fail "this Python lacks venv (Debian: apt install python3-venv)"
if [ -z "$dry_run" ]; then
    [ "$(id -u)" = 0 ] || fail "be root, or say --dry-run to see what it would do"
    command -v systemctl >/dev/null || fail "there is no systemd here: see docs/operation/install.md for the steps"
    # What starts or stops is not "active", and its program must not change under it either: a backup starts until it ends.
    for program in $programs pro-service-backup.service; do
        case $program:$(systemctl is-active "$program" 2>/dev/null) in
            *:inactive | *:failed | *:unknown | *:) ;;
            *backup*) fail "a backup is being made. Wait until it is done: systemctl status $program" ;;
            *) fail "$program runs. Make a backup, and stop it: systemctl stop $program" ;;
        esac
    done
fi

# --- what it is going to do -------------------------------------------------------------------------------------------

if [ -f "$deploy/../pyproject.toml" ]; then
    clone=$(cd "$deploy/.." && pwd)
    example=$clone/.env.example
else
    clone=
    example=$deploy/.env.example
fi
id "$user" >/dev/null 2>&1 && has_user=1 || has_user=
[ -e "$home/.env" ] && has_settings=1 || has_settings=

echo "PRO Service is installed like this:"
[ -n "$has_user" ] || echo "- A system user is made, $user, who cannot log in."
echo "- The program goes to $home/venv, with the packages of requirements.txt. Only root can change it."
echo "- The database and backups will lie in $home/var, which only $user can read."
[ -n "$has_settings" ] || echo "- The settings are begun in $home/.env with new keys. Only $user can read it."
echo "- Units for the web server, the scheduler and a backup every night go to $units, and are started at every boot."
echo "  Nothing is started now."
if [ -z "$dry_run" ] && [ -z "$yes" ]; then
    printf 'Go on? [y/N] '
    read -r answer || answer=
    case $answer in
        y | Y | yes) ;;
        *) fail "nothing was done" ;;
    esac
fi

# --- doing it ---------------------------------------------------------------------------------------------------------

[ -n "$has_user" ] || run useradd --system --user-group --home-dir "$home" --shell /usr/sbin/nologin "$user"
# Sticky: the user keeps files here, and cannot put another program in the place of venv.
run install -d -m 1770 -g "$user" "$home"
run install -d -m 0700 -o "$user" -g "$user" "$home/var"

[ -d "$home/venv" ] || run "$python" -m venv "$home/venv"
[ -n "$dry_run" ] || runuser -u "$user" -- "$home/venv/bin/python" -c '' 2>/dev/null ||
    fail "$user cannot run this Python. Remove $home/venv, and name another: PYTHON=/usr/bin/python3 deploy/install.sh"
run "$home/venv/bin/pip" install --quiet -r "$deploy/requirements.txt"
if [ -n "$clone" ]; then
    run "$home/venv/bin/pip" install --quiet --no-index --no-deps --no-build-isolation "$clone"
elif [ ! -x "$home/venv/bin/pro-service" ]; then
    fail "install the wheel into $home/venv first: $home/venv/bin/pip install --no-deps pro_service-*.whl"
fi

if [ -z "$has_settings" ]; then
    run install -m 0600 -o "$user" -g "$user" "$example" "$home/.env"
    # The keys are neither shown nor an argument of a command.
    echo "+ (new keys are written into $home/.env)"
    [ -n "$dry_run" ] || "$python" -c '
import base64, pathlib, re, secrets, sys
file = pathlib.Path(sys.argv[1])
keys = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "DATA_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
}
text = file.read_text(encoding="utf-8")
for name, value in keys.items():
    text = re.sub(f"^{name}=$", f"{name}={value}", text, flags=re.MULTILINE)
file.write_text(text, encoding="utf-8")
' "$home/.env"
fi

for unit in "$deploy"/systemd/*.service "$deploy"/systemd/*.timer; do
    run install -m 0644 "$unit" "$units"
done
run install -D -m 0644 -t "$units/pro-service-.service.d" "$deploy/systemd/pro-service-.service.d/hardening.conf"
run systemctl daemon-reload
# shellcheck disable=SC2086
run systemctl enable $programs pro-service-backup.timer

cat <<END

Next, as $user in $home (runuser -u $user -- bash):
1. Fill in PUBLIC_BASE_URL and what else .env explains. Keep a copy of DATA_KEYS somewhere else.
2. venv/bin/pro-service db upgrade, then venv/bin/pro-service doctor
3. As root: systemctl start $programs pro-service-backup.timer
The rest: docs/operation/install.md
END
