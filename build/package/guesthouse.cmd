@echo off
rem The guesthouse command of the installed app.
setlocal
if not defined GUESTHOUSE_APP set "GUESTHOUSE_APP=%~dp0Guesthouse.exe"
set ELECTRON_RUN_AS_NODE=1
"%~dp0Guesthouse.exe" "%~dp0resources\app.asar.unpacked\out\cli\index.js" %*
exit /b %ERRORLEVEL%
