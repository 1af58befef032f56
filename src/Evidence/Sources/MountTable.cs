using System.Text.RegularExpressions;

namespace Evidence.Sources;

/// <summary>What <c>/proc</c> says of mounts and swap areas, as seen from this process's mount namespace (proc(5)).</summary>
internal static partial class MountTable
{
    /// <summary>A mount: the number and the path of the device, and where it is mounted.</summary>
    internal readonly record struct Entry(string Number, string Source, string MountPoint, string FileSystem, bool IsReadOnly);

    /// <summary>Parses <c>/proc/self/mountinfo</c>.</summary>
    internal static IEnumerable<Entry> ParseMounts(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            // id parent MAJ:MIN root mount-point options [tag...] - type source super-options
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-", 6);
            string[] superOptions = fields[separator + 3].Split(',');
            yield return new Entry(
                fields[2], Unescape(fields[separator + 2]), Unescape(fields[4]), Unescape(fields[separator + 1]), superOptions.Contains("ro"));
        }
    }

    /// <summary>Parses <c>/proc/swaps</c> into the paths of the swap areas.</summary>
    internal static IEnumerable<string> ParseSwaps(IEnumerable<string> lines) =>
        lines.Skip(1).Select(line => Unescape(line.Split(' ', '\t')[0]));

    /// <summary>The kernel writes blanks, line ends and backslashes in names as three octal digits.</summary>
    private static string Unescape(string text) =>
        OctalEscape().Replace(text, match => ((char)Convert.ToInt32(match.ValueSpan[1..].ToString(), 8)).ToString());

    [GeneratedRegex(@"\\[0-7]{3}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OctalEscape();
}
