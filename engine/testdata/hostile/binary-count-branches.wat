;; attack: A branch table that says it has four billion targets.
;; want: refused

(module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00\03\02\01\00\0a\0d\01\0b\00\41\00\0e\ff\ff\ff\ff\0f\00\0b")
