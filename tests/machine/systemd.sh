#!/bin/bash
# conf/quickstart on a Debian machine that systemd runs.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"

units='leasehold.target leasehold-relay.socket leasehold-relay@1.service
    leasehold-relay@2.service leasehold-admin.socket
    leasehold-admin@1.service leasehold-demo.service'

# shellcheck disable=SC2086
units_run() {
	for unit in $units; do
		on m systemctl is-active -q "$unit" &&
		    on m systemctl is-enabled -q "$unit" && continue
		on m systemctl status --no-pager "$unit"
		on m journalctl --no-pager -n 20 -u "$unit"
		return 1
	done
}

unit_marks() {
	marks m
	on m systemctl show -p Id,MainPID,ActiveEnterTimestampMonotonic \
	    'leasehold*' nginx
}

relay_units() {
	on m systemctl list-units --plain --no-legend --state=active \
	    'leasehold-relay@*' | awk '{ print $1 }' | tr '\n' ' '
}

# processes_set N UNITS: as many units as responders are asked for.
processes_set() {
	quickstart m --processes "$1" && [ "$(relay_units)" = "$2" ]
}

stopped() {
	quickstart m --stop && ! processes m leasehold
}

boots() {
	machine_cut m
	units_run && on m systemctl is-active nginx && streams m
}

no_unit_left() {
	! on m systemctl list-units --all --plain --no-legend 'leasehold*' |
		grep . &&
	    ! on m systemctl list-unit-files --plain --no-legend 'leasehold*' |
		grep . && on m systemctl is-active nginx
}

machine_needs
machine_trees

machine_booted m
machine_checkout m
check "sets up a machine" quickstart m --demo ||
	give_up "nothing to go on with"
check "all units run, and will after a boot" units_run
check "the printed curl line streams a reply" streams m
same_as marks unit_marks
check "a second run succeeds" quickstart m --demo
check "a second run changes nothing" same_as marks unit_marks
check "programs of a newer build take over, and break nothing" rebuilt m
check "--restart keeps a running stream whole" restart_whole m
check "--restart refuses nothing" unbroken m 1 quickstart m --restart
check "systemctl restart of a responder refuses nothing" \
    unbroken m 1 on m systemctl restart leasehold-relay@1
check "systemctl restart of all responders at once refuses nothing" \
    unbroken m 1 on m systemctl restart 'leasehold-relay@*'
check "systemctl reload refuses nothing" \
    unbroken m 1 on m systemctl reload 'leasehold-relay@*'
check "a killed responder is replaced" kill_one m
check "logs can be rotated" logs_rotate m
check "more responders" processes_set 3 "leasehold-relay@1.service \
leasehold-relay@2.service leasehold-relay@3.service "
check "fewer responders" processes_set 2 "leasehold-relay@1.service \
leasehold-relay@2.service "
check "--stop ends all" stopped
check "started again" quickstart m
check "the units run" units_run
keys_same m
check "all comes back after a power cut" boots
check "--remove" quickstart m --remove
check "no unit is left, and nginx goes on" no_unit_left
check "set up again" quickstart m
check "it has its data" keys_same m
check "the printed curl line streams a reply" streams m
check "--remove --yes" quickstart m --remove --yes
check "no unit is left, and nginx goes on" no_unit_left
check "nothing is left" nothing_left m
machine_stop m

results
