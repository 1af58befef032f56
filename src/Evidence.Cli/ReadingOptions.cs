using System.CommandLine;
using Evidence.Vaults;

namespace Evidence.Cli;

/// <summary>What the commands share that let others read an image for as long as they run.</summary>
internal static class ReadingOptions
{
    internal static readonly Option<string> Unreadable = new Option<string>("--unreadable")
    {
        Description = "What is read where the source was not: error, or zero. An error costs its reader a page of 4 KiB at times, where the system reads in pages.",
        DefaultValueFactory = _ => "error",
    }.AcceptOnlyFromAmong("error", "zero");

    internal static readonly Option<string> Cache = new("--cache")
    {
        Description = "How much memory may be used to keep what was read: 64MiB unless said otherwise. More is faster for whoever reads at random.",
        HelpName = "SIZE",
        DefaultValueFactory = _ => "64MiB",
    };

    internal static readonly Option<bool> NoRecord = new("--no-record") { Description = "Write no entry into the ledger." };

    internal static ImageReadOptions Of(ParseResult parsed)
    {
        string cache = parsed.GetValue(Cache)!;
        if (!Units.TryParseSize(cache, out long bytes))
            throw new EvidenceException(ErrorCode.Usage, $"'{cache}' is no size. Example: 256MiB");
        return new ImageReadOptions { CacheSize = bytes, Absent = parsed.GetValue(Unreadable) is "zero" ? AbsentBytes.Zero : AbsentBytes.Refuse };
    }

    /// <summary>Records that an image is opened, before anybody can look into it.</summary>
    /// <returns>The entry's index; null where none was made, or it waits in staging.</returns>
    internal static long? Record(Vault vault, ParseResult parsed, ImageRecord image, OpenedTo opened) =>
        !parsed.GetValue(NoRecord) && vault.Ledger.IsSequencer ? vault.Ledger.RecordAccess(image, opened) : null;
}
