using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Evidence.Cli;

/// <summary>Sizes and times as people write and read them.</summary>
internal static class Units
{
    private static readonly (string Suffix, long Factor)[] Suffixes = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40)];

    private static readonly (string Suffix, long Factor)[] DiskSuffixes = [("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];

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

    /// <summary>Reads the size of a disk, which is sold by powers of ten: digits, with MB, GB or TB behind them, or as any other size.</summary>
    internal static bool TryParseDiskSize(string text, out long bytes)
    {
        (string suffix, long factor) = Array.Find(DiskSuffixes, s => text.EndsWith(s.Suffix, StringComparison.Ordinal));
        if (suffix is null)
            return TryParseSize(text, out bytes);
        bool valid = long.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out bytes) &&
            bytes <= long.MaxValue / factor;
        bytes = valid ? bytes * factor : 0;
        return valid;
    }

    /// <summary>Reads a range of bytes: its first byte, a plus sign, and its length, each as a number of bytes.</summary>
    /// <exception cref="EvidenceException">It is anything else.</exception>
    internal static (long Offset, long Length) ParseRange(string text) =>
        text.Split('+') is [var first, var second] && TryParseSize(first, out long offset) && TryParseSize(second, out long length)
            ? (offset, length)
            : throw new EvidenceException(ErrorCode.Usage, $"'{text}' is not a range. Example: 1MiB+64KiB");

    /// <summary>Reads a time: digits, with s, m, h or d behind them.</summary>
    /// <exception cref="EvidenceException">It is anything else.</exception>
    internal static TimeSpan ParseTime(string text)
    {
        int factor = text is [.., var unit] ? unit switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 } : 0;
        return factor > 0 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? TimeSpan.FromSeconds((long)number * factor)
            : throw new EvidenceException(ErrorCode.Usage, $"'{text}' is no time: write it as 90s, 45m, 12h or 2d.");
    }

    /// <summary>Reads an instant in UTC.</summary>
    /// <exception cref="EvidenceException">It is anything else.</exception>
    internal static Instant ParseInstant(string text) => InstantPattern.ExtendedIso.Parse(text) is { Success: true, Value: var instant }
        ? instant
        : throw new EvidenceException(ErrorCode.Usage, $"'{text}' is no instant in UTC such as 2026-03-01T12:00:00Z.");

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
