module tollgate/readers

go 1.19
