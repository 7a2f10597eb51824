# Reads the report of `ctest --output-junit` and prints three numbers: tests passed, failed, skipped.
#
# A cmocka program says how many tests it is going to run and then, for each, how it ended. A test that was announced and
# did not end well has failed: so a program that crashes is not mistaken for a short one. Any other program is one test.

function count_program()
{
    lost = plain ? status != "run" : announced - ok - skip
    if (lost < 1)
        lost = status != "run"
    passed += plain ? !lost : ok
    failed += lost
    skipped += skip
}

/^\t<testcase / {
    programs++
    announced = ok = skip = 0
    plain = 1
    status = $0
    sub(/.* status="/, "", status)
    sub(/".*/, "", status)
}

# The first line that a program prints stands behind the element's tag.
/^(\t\t<system-out>)?\[=+\] Running [0-9]+ test\(s\)\.$/ {
    announced += $(NF - 1)
    plain = 0
}

/^\[ +OK \] / {
    ok++
}

/^\[ +SKIPPED +\] [0-9]+ test\(s\), listed below:$/ {
    skip += $4
}

/^\t<\/testcase>/ {
    count_program()
}

END {
    if (!programs)
        exit 1
    print passed + 0, failed + 0, skipped + 0
}
