namespace Evidence.Sources;

/// <summary>
/// Reads sysfs and procfs. An attribute that a driver lacks, or will not give, is not known; that is no failure of the source, so each of
/// these returns null for it.
/// </summary>
internal static class Sysfs
{
    /// <summary>The text of an attribute without the padding around it; null where nothing is left.</summary>
    internal static string? Text(string path) => Try(() => File.ReadAllText(path)) is { } text ? Trimmed(text) : null;

    internal static byte[]? Bytes(string path) => Try(() => File.ReadAllBytes(path));

    internal static string[]? Lines(string path) => Try(() => File.ReadAllLines(path));

    /// <summary>The paths of the directories, and of the links to directories, in a directory.</summary>
    internal static string[]? Directories(string path) => Try(() => Directory.GetDirectories(path));

    /// <summary>Where a link to a directory leads, through all further links.</summary>
    internal static string? LinkTarget(string path) =>
        Try(() => Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName) is { } target && Directory.Exists(target)
            ? target
            : null;

    internal static string? Trimmed(string text) => text.Trim().Trim('\0').Trim() is { Length: > 0 } trimmed ? trimmed : null;

    private static T? Try<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
