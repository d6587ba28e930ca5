# shellcheck shell=sh disable=SC2034,SC2154
# What tests of texts and units share: $dir/why, which whoever reads this in
# fills, says what is wrong.
number=0
failed=0

# check STATUS WHAT
check() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		failed=1
		echo "not ok $number - $2"
		sed 's/^/# /' "$dir/why"
	fi
}
