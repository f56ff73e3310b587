;; attack: A component instead of a core module.
;; want: refused

(module binary "\00asm\0d\00\01\00")
