;; attack: A type with four billion parameters.
;; want: refused

(module binary "\00asm\01\00\00\00" "\01\09\01\60\ff\ff\ff\ff\0f\7f\00")
