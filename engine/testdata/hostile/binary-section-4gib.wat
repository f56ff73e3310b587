;; attack: A section of 4 GiB less a byte.
;; want: refused

(module binary "\00asm\01\00\00\00" "\01\ff\ff\ff\ff\0f\00")
