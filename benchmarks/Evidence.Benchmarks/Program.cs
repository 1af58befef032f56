// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- --filter '*'
// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- lanes: what benchmarks/lanes.py puts beside openssl
if (args is ["lanes"])
    Evidence.Benchmarks.LaneSpeed.Print();
else
    BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
