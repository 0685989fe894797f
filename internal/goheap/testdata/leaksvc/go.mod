module leaksvc

go 1.22
