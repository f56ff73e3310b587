;; attack: Four billion functions.
;; want: refused

(module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00\03\06\ff\ff\ff\ff\0f\00")
