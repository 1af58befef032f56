// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- --filter '*'
// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- lanes: what benchmarks/lanes.py puts beside openssl
// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- gate ASSETS ENTRIES: the wipe gate over a large ledger
// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- ledger ...: the parts that benchmarks/ledger.py measures
// dotnet run -c Release --project benchmarks/Evidence.Benchmarks -- index SEGMENTS FOLDER: the index of segments, with so many made-up ones (52 to 104 bytes each in FOLDER)
using System.Globalization;

switch (args)
{
    case ["lanes"]:
        Evidence.Benchmarks.LaneSpeed.Print();
        return 0;
    case ["gate", var assets, var entries]:
        Evidence.Benchmarks.GateScale.Run(int.Parse(assets, CultureInfo.InvariantCulture), long.Parse(entries, CultureInfo.InvariantCulture));
        return 0;
    case ["ledger", ..]:
        return Evidence.Benchmarks.LedgerMeasure.Run(args[1..]);
    case ["index", var segments, var folder]:
        Evidence.Benchmarks.IndexScale.Run(long.Parse(segments, CultureInfo.InvariantCulture), folder);
        return 0;
    default:
        BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
