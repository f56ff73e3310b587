;; attack: Four billion types in a section of six bytes: an allocation bomb.
;; want: refused

(module binary "\00asm\01\00\00\00" "\01\06\ff\ff\ff\ff\0f\60")
