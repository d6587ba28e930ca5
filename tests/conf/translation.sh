#!/bin/sh
# tests/translation notices whatever is not in step.

srcdir=${srcdir:-.}
dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-translation.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/conf/lib.sh
. "$srcdir/tests/conf/lib.sh"

compare() {
	sh "$srcdir/tests/translation" "$@" "$dir/R.md" "$dir/Z.md" \
	    >"$dir/why" 2>&1
}

# Two that are in step.
begin() {
	cat >"$dir/R.md" <<'TEXT'
# Title

Read [this](LICENSE), say `mount`.

## Try it

```sh
# begin
run --now       # at once
## not a heading
```

### Later

| a | `b` |
TEXT
	cat >"$dir/Z.md" <<'TEXT'
# 标题

请读[这个](LICENSE)，写 `mount`。

## 试一试

```sh
# 开始
run --now       # 立刻
## 不是标题
```

### 以后

| 一 | `b` |
TEXT
	compare --refresh
}

begin
check $? "--refresh takes a translation over"
compare
check $? "it is in step then"
cp "$dir/Z.md" "$dir/before"
compare --refresh
cmp "$dir/Z.md" "$dir/before" >"$dir/why" 2>&1
check $? "--refresh changes nothing more"

# noticed WHAT PATTERN FILE SED: a planted change is complained of.
noticed() {
	begin
	sed "$4" "$dir/$3" >"$dir/planted" && cp "$dir/planted" "$dir/$3"
	compare
	[ $? = 1 ] && grep -q "$2" "$dir/why"
	check $? "$1 is noticed"
}

noticed 'a word of the English' '"# 标题" is of another state of "# Title"' \
    R.md 's/Read/See/'
noticed 'a word in a subsection' '"### 以后" is of another' R.md 's/| a/| c/'
noticed 'a comment in English' '"## 试一试" is of another' R.md 's/at once/soon/'
noticed 'code in the translation' 'has other code' Z.md 's/--now/--soon/'
noticed 'a link that is lost' 'has other names' Z.md 's/(LICENSE)//'
noticed 'a name that differs' 'has other names' Z.md 's/`mount`/`mounts`/'
noticed 'a heading too many' 'headings are not those' Z.md 's/^| 一/## 一/'
noticed 'a heading too few' 'headings are not those' R.md 's/^### /## /'
noticed "a digest that is lost" '"### 以后" is of another' Z.md \
    '/^### /,$ { /^<!--/d; }'

begin
sed 's/立刻/马上/' "$dir/Z.md" >"$dir/planted" && cp "$dir/planted" "$dir/Z.md"
compare
check $? "a translated comment is free"

begin
sed 's/Read/See/' "$dir/R.md" >"$dir/planted" && cp "$dir/planted" "$dir/R.md"
compare --refresh && compare
check $? "--refresh mends what was translated anew"

echo "1..$number"
exit $failed
