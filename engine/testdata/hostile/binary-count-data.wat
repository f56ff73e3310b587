;; attack: Four billion data segments.
;; want: refused

(module binary "\00asm\01\00\00\00" "\0b\06\ff\ff\ff\ff\0f\00")
