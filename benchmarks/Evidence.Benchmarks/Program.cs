// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- --filter '*'
// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- lanes: what benchmarks/lanes.py puts beside openssl
// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- gate ASSETS ENTRIES: the wipe gate over a large ledger
using System.Globalization;

if (args is ["lanes"])
    Evidence.Benchmarks.LaneSpeed.Print();
else if (args is ["gate", var assets, var entries])
    Evidence.Benchmarks.GateScale.Run(int.Parse(assets, CultureInfo.InvariantCulture), long.Parse(entries, CultureInfo.InvariantCulture));
else
    BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
