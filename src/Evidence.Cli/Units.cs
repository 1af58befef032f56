using System.Globalization;

namespace Evidence.Cli;

/// <summary>Sizes and times as people write and read them.</summary>
internal static class Units
{
    private static readonly (string Suffix, long Factor)[] Suffixes = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40)];

    /// <summary>Reads a number of bytes: digits, with KiB, MiB, GiB or TiB behind them or nothing.</summary>
    internal static bool TryParseSize(string text, out long bytes)
    {
        long factor = 1;
        foreach ((string suffix, long value) in Suffixes)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
            {
                factor = value;
                text = text[..^suffix.Length];
                break;
            }
        }

        bool valid = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out bytes) && bytes <= long.MaxValue / factor;
        bytes = valid ? bytes * factor : 0;
        return valid;
    }

    internal static string Size(long bytes)
    {
        (string suffix, long factor) = Suffixes.LastOrDefault(s => bytes >= s.Factor);
        return suffix is null
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes")
            : string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / factor:0.0} {suffix}");
    }

    internal static string Exact(long bytes) =>
        bytes < 1024 ? Size(bytes) : string.Create(CultureInfo.InvariantCulture, $"{Size(bytes)} ({bytes:#,0} bytes)");

    internal static string Count(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    internal static string Rate(long bytes, TimeSpan time) =>
        time.TotalSeconds < 0.001 ? "" : Size((long)(bytes / time.TotalSeconds)) + "/s";

    internal static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");
}
